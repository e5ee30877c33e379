"""The ops of a forward pass, each with its shapes and the module that called it.

The pass runs on the meta device (shapes without values). No product escapes because it is written as a function instead of a module.
"""

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

__all__ = ["OpCall", "Shape", "record_ops"]

Shape = tuple[int, ...]


@dataclass(frozen=True)
class OpCall:
    """An op (``aten.convolution``, say), or a module without children (``nn.Linear``), as a forward pass called it.

    Args:
        module: Qualified name of the innermost module, or of the module itself.
        inputs: Shapes of the tensors among the positional arguments.
        output: Shape of the output, of the first one where there are several.
    """

    module: str
    op: str
    inputs: tuple[Shape, ...]
    output: Shape


class _Recorder(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()
        self.calls: list[OpCall] = []
        self.modules = [""]  # the stack of those that are running

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        output = func(*args, **(kwargs or {}))
        self.write_down(str(func.overloadpacket), args, output)
        return output

    def write_down(self, op: str, args: tuple, output: Any) -> None:
        first = output[0] if isinstance(output, tuple | list) and output else output
        if isinstance(first, Tensor):
            shapes = tuple(tuple(value.shape) for value in args if isinstance(value, Tensor))
            self.calls.append(OpCall(self.modules[-1], op, shapes, tuple(first.shape)))


def record_ops(model: nn.Module, forward: Callable[[], Any]) -> list[OpCall]:
    """The ops of a forward pass without gradients.

    Args:
        model: In evaluation mode, on the meta device.
        forward: Calls the model, or parts of it, on tensors of the meta device.
    """
    recorder = _Recorder()

    def leave(module: nn.Module, args: tuple, output: Any) -> None:
        if next(module.children(), None) is None:
            recorder.write_down(f"nn.{type(module).__name__}", args, output)
        recorder.modules.pop()

    with ExitStack() as hooks, torch.no_grad(), recorder:
        for name, module in model.named_modules():
            enter = module.register_forward_pre_hook(lambda module, args, name=name: recorder.modules.append(name))
            hooks.callback(enter.remove)
            hooks.callback(module.register_forward_hook(leave).remove)
        forward()
    return recorder.calls
