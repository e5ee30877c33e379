"""Parts of a model from the dictionaries of a config."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from ..engine.names import suggestion
from ..errors import UserError

__all__ = ["build_part"]

Part = TypeVar("Part")


def build_part(kind: Callable[..., Part], name: str, options: dict[str, Any]) -> Part:
    """Call ``kind`` with the options of ``model.<name>``.

    Raises:
        UserError: If an option is not known, or one that is needed is missing.
    """
    known = inspect.signature(kind).parameters
    for option in options:
        if option not in known:
            hint = suggestion(option, known) or "; remove it from the config"
            raise UserError(f"model.{name} has no argument {option!r}{hint}.")
    for option, parameter in known.items():
        if parameter.default is parameter.empty and option not in options:
            raise UserError(f"model.{name} lacks {option!r}; set it in the config.")
    return kind(**options)
