"""Packages of the extra ``translation``, imported where they are used."""

import importlib
from types import ModuleType

from ..errors import UserError

__all__ = ["optional_package"]


def optional_package(module: str) -> ModuleType:
    """Import a module of subword-nmt, sacremoses or sacrebleu.

    Raises:
        UserError: If its package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name != module.partition(".")[0]:  # something that the package itself lacks
            raise
        raise UserError(
            f"the package {error.name} is needed for translation and is not installed; run "
            "`pip install -e .[translation]`."
        ) from error
