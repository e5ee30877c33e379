"""Importing this module registers what trains and tests a translation model; ``cgc_video`` names it to registries."""

from .averaging import AverageCheckpointsHook
from .batches import TokenBatchSampler, collate_pairs, collate_tags
from .datasets import ParallelText
from .dictionary_hook import DictionaryHook
from .loops import UpdateBasedTrainLoop
from .metrics import BLEU, TagAccuracy
from .schedulers import InverseSqrtLR
from .toy_tasks import ModeCopies, ModeTags

__all__ = [
    "BLEU",
    "AverageCheckpointsHook",
    "DictionaryHook",
    "InverseSqrtLR",
    "ModeCopies",
    "ModeTags",
    "ParallelText",
    "TagAccuracy",
    "TokenBatchSampler",
    "UpdateBasedTrainLoop",
    "collate_pairs",
    "collate_tags",
]
