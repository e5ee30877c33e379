"""Studies and reports over trained models."""
