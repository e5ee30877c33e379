"""The dictionaries of a model's data and of its checkpoint must be the same ones."""

from collections.abc import Mapping
from typing import Any

from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from torch import nn

from ..errors import UserError
from .datasets import SentencePairs

__all__ = ["SIDES", "DictionaryHook", "check_digests", "check_sizes"]

# a side of the data, and the part of the model that reads it
SIDES = {"source": "encoder", "target": "decoder"}


def check_sizes(model: nn.Module, dataset: SentencePairs) -> None:
    """Refuse a model whose embeddings have another number of rows than the data set's dictionaries have tokens."""
    for side, part in SIDES.items():
        dictionary = getattr(dataset, f"{side}_dictionary")
        size = getattr(model, part).embed.num_embeddings
        if size != len(dictionary):
            raise UserError(
                f"{dictionary.source} has {len(dictionary):,} tokens, the specials counted, and "
                f"model.{part}.vocabulary_size is {size:,}; set --cfg-options "
                f"model.{part}.vocabulary_size={len(dictionary)}, or give the dictionary of this model."
            )


def check_digests(trained: Mapping[str, Any], given: Mapping[str, Any], source: str) -> None:
    """Refuse data whose dictionaries number the tokens in another way than those that a checkpoint was trained with.

    Args:
        trained: ``metainfo`` of the training data, as the checkpoint holds it.
        given: Likewise, of the data in hand.
        source: The checkpoint, for the message.
    """
    for side in SIDES:
        key = f"{side}_digest"
        if trained.get(key) and given.get(key) and trained[key] != given[key]:
            names = [meta.get(f"{side}_dictionary") for meta in (given, trained)]
            mine, theirs = (name if isinstance(name, str) else "the data's own" for name in names)
            raise UserError(
                f"the {side} dictionary ({mine}) is not the one that {source} was trained with ({theirs}): the "
                "same number means another token; use the dictionary of that training."
            )


@HOOKS.register_module()
class DictionaryHook(Hook):
    """Checks sizes before a run and dictionaries when a checkpoint is loaded."""

    priority = "VERY_HIGH"

    def before_run(self, runner) -> None:
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        for dataset in _datasets(runner):
            check_sizes(model, dataset)

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        trained = (checkpoint.get("meta") or {}).get("dataset_meta") or {}
        source = f"checkpoint ({runner._load_from})" if runner._load_from else "the checkpoint to go on from"
        for dataset in _datasets(runner):
            check_digests(trained, dataset.metainfo, source)


def _datasets(runner) -> list[SentencePairs]:
    """Sentence pairs of the loops that are built."""
    loops = (runner._train_loop, runner._val_loop, runner._test_loop)
    datasets = (getattr(getattr(loop, "dataloader", None), "dataset", None) for loop in loops)
    return [dataset for dataset in datasets if isinstance(dataset, SentencePairs)]
