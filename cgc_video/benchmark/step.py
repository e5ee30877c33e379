"""What the runs need to know about a case: its passes, which can be repeated, and the memory that they take at least."""

from collections.abc import Callable, Iterable
from typing import Protocol

from torch import Tensor

from .settings import Settings

__all__ = ["BenchmarkCase", "Step"]


class Step:
    """A pass that may leave gradients; ``clear`` drops them, outside of what is measured."""

    def __init__(self, run: Callable[[], object], leaves: Iterable[Tensor] = ()) -> None:
        self._run, self._leaves = run, list(leaves)

    def __call__(self) -> None:
        self._run()

    def clear(self) -> None:
        for leaf in self._leaves:
            leaf.grad = None


class BenchmarkCase(Protocol):
    """A layer or a network at one input size. Cases are sent to other processes, so they hold numbers, not tensors."""

    @property
    def name(self) -> str: ...

    @property
    def input(self) -> str:
        """The input's shape, as text."""

    def step(self, formulation: str, training: bool, settings: Settings) -> Step:
        """Build the inputs and weights, and the pass: forward alone, or forward and backward."""

    def needed_bytes(self, formulation: str, training: bool) -> int:
        """What a pass holds at least at its peak, in per-sample kernels and columns; 0 for a formulation without them."""

    def operations(self, training: bool) -> int | None:
        """Multiplications and additions of a pass, where they are counted."""
