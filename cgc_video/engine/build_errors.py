"""Errors that MMEngine raises while it builds from a config, turned into one sentence."""

import inspect
import re
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mmengine.config import Config

from ..errors import UserError
from .names import suggestion

__all__ = ["plain_build_errors"]

_UNEXPECTED = re.compile(r"got an unexpected keyword argument '(\w+)'")
_MISSING = re.compile(r"(\w+)(?:\.__init__)?\(\) missing \d+ required (?:positional|keyword-only) arguments?: (.+)")
_UNKNOWN = re.compile(r"(\S+) is not in the \S+ registry")


@contextmanager
def plain_build_errors(cfg: Config) -> Iterator[None]:
    """Inside, a mistyped argument or type, or a value that our layers and models refuse by name, becomes a ``UserError``.

    Other errors pass.
    """
    try:
        yield
    except UserError:
        raise
    except ValueError as error:
        if not _raised_by_our_models(error):
            raise
        raise UserError(str(error)) from error
    except (TypeError, KeyError) as error:
        sentence = _sentence(cfg, str(error))
        if sentence is None:
            raise
        raise UserError(sentence) from error


def _raised_by_our_models(error: ValueError) -> bool:
    """Their ``ValueError`` quotes an argument's value and its rule; anyone else's may be a defect of ours."""
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    return frame.f_globals.get("__name__", "").startswith(("cgc_video.layers.", "cgc_video.models.", "cgc_video.ops."))


def _sentence(cfg: Config, message: str) -> str | None:
    if found := _UNKNOWN.search(message):
        kind = found.group(1).strip("'\"")
        if any(node.get("type") == kind for _, node in _typed_dicts(cfg._cfg_dict)):
            return f"type {kind!r} is not registered; correct it in the config."
    if found := _UNEXPECTED.search(message):
        return _unexpected_argument(cfg, found.group(1), message)
    if found := _MISSING.search(message):
        name, arguments = found.groups()
        for way, node in _typed_dicts(cfg._cfg_dict):
            if _type_name(node["type"]) == name:
                return f"{way} ({name}) lacks {arguments.strip()}; set it in the config."
    return None


def _unexpected_argument(cfg: Config, argument: str, message: str) -> str | None:
    """Only a key that the config itself holds is the user's; the type named in the message goes first."""
    holders = [(way, node) for way, node in _typed_dicts(cfg._cfg_dict) if argument in node]
    holders.sort(key=lambda holder: f"{_type_name(holder[1]['type'])}.__init__" not in message)
    if not holders:
        return None
    way, node = holders[0]
    known = _arguments(node["type"])
    if argument in known:  # passed on to something that does not take it: no mistake of the config
        return None
    hint = suggestion(argument, known) or "; remove it from the config"
    return f"{way} ({_type_name(node['type'])}) has no argument {argument!r}{hint}."


def _typed_dicts(node: Any, way: str = "") -> Iterator[tuple[str, dict]]:
    if isinstance(node, dict):
        if node.get("type"):
            yield way, node
        for key, part in node.items():
            yield from _typed_dicts(part, f"{way}.{key}" if way else str(key))
    elif isinstance(node, list | tuple):
        for index, part in enumerate(node):
            yield from _typed_dicts(part, f"{way}.{index}")


def _type_name(kind: Any) -> str:
    return kind.rpartition(".")[2] if isinstance(kind, str) else getattr(kind, "__name__", str(kind))


def _arguments(kind: Any) -> set[str]:
    """Argument names of a type and, where it passes ``**kwargs`` on, of the classes it extends."""
    from mmaction import registry
    from mmengine.registry import Registry

    from .checks.types import resolve

    known = (value for value in vars(registry).values() if isinstance(value, Registry))
    found = next((cls for reg in known if (cls := resolve(kind, reg)) is not None), None)
    names: set[str] = set()
    for base in getattr(found, "__mro__", (found,) if found else ()):
        init = base.__init__ if inspect.isclass(base) else base
        try:
            names |= set(inspect.signature(init).parameters)
        except (TypeError, ValueError):
            continue
    return names - {"self", "args", "kwargs"}
