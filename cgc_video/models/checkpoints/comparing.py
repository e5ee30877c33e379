"""The entries of a checkpoint against those of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from ...errors import UserError

__all__ = ["Match", "compare_state", "weights_of"]

_KINDS = {"missing": "only in the model", "unexpected": "only in the checkpoint", "mismatched": "of another shape"}
_NAMED = 8
# Where code bases keep the weights inside a checkpoint.
_CONTAINERS = ("state_dict", "model", "model_state")


@dataclass
class Match:
    """How the entries of a checkpoint fit those of a model.

    Attributes:
        matched, missing: Keys of the model.
        unexpected: Keys of the checkpoint.
        shapes: Where they differ, by key: the shape in the checkpoint and that in the model.
    """

    matched: list[str]
    missing: list[str]
    unexpected: list[str]
    shapes: dict[str, tuple[tuple[int, ...], tuple[int, ...]]]

    @property
    def mismatched(self) -> list[str]:
        """Keys with another shape, each with both shapes."""
        return [f"{key} {given} for {expected}" for key, (given, expected) in self.shapes.items()]

    @property
    def complete(self) -> bool:
        return not (self.missing or self.unexpected or self.shapes)

    def __str__(self) -> str:
        parts = [f"{len(self.matched)} entries match"]
        for kind in _KINDS:
            if keys := getattr(self, kind):
                more = f", and {len(keys) - _NAMED} more" if len(keys) > _NAMED else ""
                parts.append(f"{len(keys)} {kind} ({', '.join(keys[:_NAMED])}{more})")
        return ", ".join(parts)

    @property
    def abridged(self) -> bool:
        """Whether the text leaves keys out."""
        return any(len(getattr(self, kind)) > _NAMED for kind in _KINDS)

    def listing(self) -> str:
        """Every key that differs, one per line, under what is the matter with it."""
        return "\n".join(
            f"{len(keys)} {title}:\n" + "\n".join(f"  {key}" for key in keys)
            for kind, title in _KINDS.items()
            if (keys := getattr(self, kind))
        )


def compare_state(expected: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> Match:
    """Compare names and shapes; counters of batch norm, which change no output, are left aside."""
    expected = {k: v for k, v in expected.items() if not k.endswith("num_batches_tracked")}
    given = {k: v for k, v in given.items() if not k.endswith("num_batches_tracked")}
    common = [key for key in expected if key in given]
    wrong = {k: (tuple(given[k].shape), tuple(expected[k].shape)) for k in common if given[k].shape != expected[k].shape}
    return Match(
        matched=[key for key in common if key not in wrong],
        missing=[key for key in expected if key not in given],
        unexpected=[key for key in given if key not in expected],
        shapes=wrong,
    )


def weights_of(checkpoint: Any, path: str) -> dict[str, Tensor]:
    """The weights in a loaded file, without the prefix that a parallel wrapper leaves.

    Raises:
        UserError: If there are none.
    """
    state = checkpoint
    if isinstance(checkpoint, Mapping):
        state = next((checkpoint[key] for key in _CONTAINERS if isinstance(checkpoint.get(key), Mapping)), checkpoint)
    if not isinstance(state, Mapping) or not any(isinstance(value, Tensor) for value in state.values()):
        raise UserError(f"checkpoint ({path}) holds no weights; give a .pth file as training writes it.")
    return {key.removeprefix("module."): value for key, value in state.items() if isinstance(value, Tensor)}
