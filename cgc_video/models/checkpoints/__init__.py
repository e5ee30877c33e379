"""Checkpoint files: written whole or not at all, read without running what is in them, compared with a model."""

from .comparing import Match, compare_state, weights_of
from .reading import DamagedCheckpoint, read_checkpoint
from .unpickling import read_pickle
from .writing import replacing, write_checkpoint, write_text

__all__ = [
    "DamagedCheckpoint",
    "Match",
    "compare_state",
    "read_checkpoint",
    "read_pickle",
    "replacing",
    "weights_of",
    "write_checkpoint",
    "write_text",
]
