"""One page about a finished run: settings, curves, results per class, and what it got most confidently wrong."""
