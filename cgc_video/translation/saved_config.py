"""The config that MMEngine writes into a checkpoint, read without running it.

It is Python text. ``Config.fromstring`` would execute it, and with it whatever a foreign checkpoint holds.
"""

import ast
from typing import Any

from ..errors import UserError

__all__ = ["saved_setting"]


def saved_setting(text: str, name: str) -> Any:
    """The value of a top-level name: numbers, strings, lists, tuples and dicts, also written ``dict(key=value)``.

    Raises:
        UserError: If the text does not set the name, or sets it to anything else.
    """
    try:
        for statement in ast.parse(text).body:
            if isinstance(statement, ast.Assign) and getattr(statement.targets[0], "id", None) == name:
                return _value(statement.value)
    except (SyntaxError, ValueError) as error:
        raise UserError(
            f"the config in the checkpoint cannot be read ({error}); give a checkpoint that tools/train.py wrote."
        ) from error
    raise UserError(f"the config in the checkpoint sets no {name}; give a checkpoint that tools/train.py wrote.")


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Call):
        plain = len(node.args) <= 1 and all(isinstance(part, ast.Dict) for part in node.args)  # dict({"a b": 1}), too
        if (
            getattr(node.func, "id", None) != "dict"
            or not plain
            or any(keyword.arg is None for keyword in node.keywords)
        ):
            raise ValueError(f"line {node.lineno} calls a function")
        positional = _value(node.args[0]) if node.args else {}
        return {**positional, **{keyword.arg: _value(keyword.value) for keyword in node.keywords}}
    if isinstance(node, ast.Dict):
        return {ast.literal_eval(key): _value(value) for key, value in zip(node.keys, node.values, strict=True)}
    if isinstance(node, ast.List):
        return [_value(element) for element in node.elts]
    if isinstance(node, ast.Tuple):
        return tuple(_value(element) for element in node.elts)
    return ast.literal_eval(node)
