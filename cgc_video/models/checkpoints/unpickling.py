"""Unpickling that builds data and runs nothing: for ``.pkl`` files, and for checkpoints under a torch without an allow-list."""

import builtins
import collections
import functools
import io
import pickle
import re
import types
from collections.abc import Callable
from typing import IO, Any

import torch

from ... import compat
from ...errors import UserError

__all__ = ["SafeUnpickler", "pickle_module", "read_pickle", "refusal"]

# Containers, numbers and what arrays and tensors are rebuilt by; nothing here calls what a file names.
_BUILTINS = ("set", "frozenset", "slice", "complex", "bytearray", "range", "int", "float", "str", "bytes", "list", "tuple", "dict", "bool")


@functools.cache
def _allowed() -> dict[str, Any]:
    from torch import _weights_only_unpickler

    types_by_name = dict(_weights_only_unpickler._get_allowed_globals())  # torch's own tensors, types of numbers and containers
    types_by_name |= {f"builtins.{name}": getattr(builtins, name) for name in _BUILTINS}
    types_by_name |= {"collections.defaultdict": collections.defaultdict, "collections.deque": collections.deque}
    types_by_name |= compat.checkpoint_types()
    # torch's own would unpickle the bytes inside without any restriction
    types_by_name["torch.storage._load_from_bytes"] = _storage_from_bytes
    return types_by_name


def _storage_from_bytes(content: bytes) -> Any:
    return torch.load(io.BytesIO(content), weights_only=False, pickle_module=pickle_module())


class SafeUnpickler(pickle.Unpickler):
    """Knows the types above and no others."""

    def find_class(self, module: str, name: str) -> Any:
        full_name = f"{'builtins' if module == '__builtin__' else module}.{name}"  # their name in protocol 2, which torch writes
        found = _allowed().get(full_name)
        if found is None:
            raise pickle.UnpicklingError(f"Unsupported global: GLOBAL {full_name} is no type of data")
        return found


def pickle_module() -> types.SimpleNamespace:
    """The functions of ``pickle`` that ``torch.load`` asks for, over ``SafeUnpickler``."""

    def load(file: IO[bytes], **options: Any) -> Any:
        return SafeUnpickler(file, **options).load()

    return types.SimpleNamespace(Unpickler=SafeUnpickler, load=load, __name__="SafeUnpickler")


def read_pickle(file: IO[bytes], source: str, **options: Any) -> Any:
    """What an open pickle file holds: containers, numbers, text, arrays and tensors.

    Args:
        source: The file, for the message.
        options: Of ``pickle.Unpickler``.
    Raises:
        UserError: If it holds anything else, or is damaged.
    """
    try:
        return SafeUnpickler(file, **options).load()
    except Exception as error:  # unpickling meets damage in as many ways as there are opcodes
        if (sentence := refusal(str(error), source)) is not None:
            raise UserError(sentence) from error
        raise UserError(f"{source} is no pickle, or damaged ({type(error).__name__}); make it again.") from error


def refusal(message: str, source: str, remedy: Callable[[], str] | None = None) -> str | None:
    """A sentence for an unpickler's refusal of a type; None for another trouble.

    Args:
        remedy: What the user can do, where it is not to make the file again.
    """
    found = re.search(r"GLOBAL ([\w.<>]+)|Unsupported class (\S+)|unrecognized function (.+?)(?:$|\n)", message)
    if found is None and "is not allowed in a checkpoint" in message:
        found = re.search(r"(getattr\(.+\)) is not allowed", message)
    if found is None:
        return None
    name = next(group for group in found.groups() if group)
    way_out = remedy() if remedy else "make it again with numbers, text, lists, arrays and tensors alone"
    return f"{source} holds {name}, which is no type of data and could run code: it was not loaded; {way_out}."
