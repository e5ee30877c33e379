from .command import ExportedFile, export_model

__all__ = ["ExportedFile", "export_model"]
