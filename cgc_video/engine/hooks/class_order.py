"""Bring the classifier of a checkpoint into the label order of the data."""

from collections.abc import Sequence
from typing import Any

import torch
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from mmengine.model import is_model_wrapper
from mmengine.runner import BaseLoop
from torch import Tensor, nn

from ...datasets.labels import class_order, pad_class_names
from ...errors import UserError

__all__ = ["ClassOrderHook", "classifier_names", "trained_classes"]


def trained_classes(checkpoint: Any) -> list[str] | None:
    """The class names that MMEngine wrote into a checkpoint, by label; None if it holds none."""
    meta = (checkpoint.get("meta") or {}).get("dataset_meta") or {} if isinstance(checkpoint, dict) else {}
    names = meta.get("classes") or meta.get("CLASSES")
    return list(names) if isinstance(names, list | tuple) else None


def classifier_names(model: nn.Module, num_classes: int) -> list[str]:
    """Names of the parameters with one row per class: those of the head's only layer with so many outputs.

    Raises:
        UserError: If no layer of the head has as many outputs, or several have and none is ``fc_cls``.
    """
    sizes = ("out_features", "out_channels")
    heads = ((name, module) for name, module in model.named_modules() if name.startswith("cls_head."))
    layers = [(n, m) for n, m in heads if any(getattr(m, size, None) == num_classes for size in sizes)]
    if len(layers) > 1:
        layers = [(name, module) for name, module in layers if name.endswith(".fc_cls")]
    if len(layers) != 1:
        raise UserError(
            f"model.cls_head has no single layer with {num_classes} outputs, whose rows could be put into the label order of "
            "the data; use the lists and classes.txt that the checkpoint was trained with."
        )
    name, layer = layers[0]
    return [f"{name}.{parameter}" for parameter, _ in layer.named_parameters(recurse=False)]


@HOOKS.register_module()
class ClassOrderHook(Hook):
    """Permutes the rows of the classifier, with their optimizer state and averages, as a checkpoint is loaded.

    A checkpoint that names its classes in another order than the data then gives each class the label it has in the data.
    Where the classifier is of another size, which only a new training allows, it starts afresh.
    """

    priority = "HIGH"  # before the hook of averaged weights, which takes its own out of the checkpoint

    def after_load_checkpoint(self, runner, checkpoint: dict) -> None:
        trained, wanted = trained_classes(checkpoint), _data_classes(runner)
        if trained is None or wanted is None or pad_class_names(trained, len(wanted)) == wanted:
            return
        model = runner.model.module if is_model_wrapper(runner.model) else runner.model
        states = [checkpoint.get("state_dict", checkpoint), checkpoint.get("ema_state_dict") or {}]
        names = classifier_names(model, len(wanted))
        sizes = {len(states[0][key]) for key in _entries(states[0], names)}
        if sizes - {len(wanted)} and isinstance(runner._train_loop, BaseLoop) and not runner._resume:
            _drop(states, names)
            runner.logger.info(
                f"The checkpoint tells {sizes.pop()} classes apart, the data {len(wanted)}: the classifier starts afresh."
            )
            return
        order = class_order(pad_class_names(trained, len(wanted)), wanted)
        checkpoint["meta"]["dataset_meta"] = {**checkpoint["meta"]["dataset_meta"], "classes": wanted}
        if order is None:
            return
        _permute(states, names, order)
        if runner._resume:
            _permute_optimizer(checkpoint.get("optimizer"), runner.optim_wrapper, model, names, order)
        moved = sum(old != new for new, old in enumerate(order))
        runner.logger.info(
            f"The checkpoint has another label order than the data: the classifier's rows were permuted by class name "
            f"({moved} of {len(order)} labels changed)."
        )


def _data_classes(runner) -> list[str] | None:
    """Names by label of the data that runs: of training if there is one."""
    for loop in (runner._train_loop, runner._test_loop, runner._val_loop):
        dataset = getattr(getattr(loop, "dataloader", None), "dataset", None)
        if dataset is not None:
            names = (getattr(dataset, "metainfo", None) or {}).get("classes")
            return list(names) if isinstance(names, list | tuple) else None
    return None


def _entries(state: dict, names: Sequence[str]) -> list[str]:
    """Keys of a state that mean one of the parameters; wrappers and averages put ``module.`` before the name."""
    return [key for key in state if key.removeprefix("module.") in names]


def _drop(states: list[dict], names: Sequence[str]) -> None:
    for state in states:
        for key in _entries(state, names):
            del state[key]


def _permute(states: list[dict], names: Sequence[str], order: list[int]) -> None:
    rows = torch.tensor(order)
    for state in states:
        for key in _entries(state, names):
            state[key] = state[key][rows]


def _permute_optimizer(content: Any, optim_wrapper, model: nn.Module, names: Sequence[str], order: list[int]) -> None:
    """Momentum and the like have the shape of their parameter; an optimizer's state numbers parameters by group."""
    wanted = {id(parameter) for name, parameter in model.named_parameters() if name in names}
    groups = getattr(getattr(optim_wrapper, "optimizer", None), "param_groups", [])
    for index, parameter in enumerate(parameter for group in groups for parameter in group["params"]):
        if id(parameter) in wanted:
            buffers = ((content or {}).get("state") or {}).get(index) or {}
            for key, value in buffers.items():
                if isinstance(value, Tensor) and value.shape == parameter.shape:
                    buffers[key] = value[torch.tensor(order)]
