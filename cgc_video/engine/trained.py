"""A model of a config with the weights of a checkpoint, ready to look at or to predict with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mmaction.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.runner import Runner
from torch import nn
from torch.utils.data import DataLoader

from ..datasets.labels import pad_class_names
from ..datasets.lists import CLASS_FILE, read_classes
from ..errors import UserError
from ..models.checkpoints import weights_of
from .build_errors import plain_build_errors
from .checks import check_data
from .checks.checkpoint import check_checkpoint_file, check_weights
from .config import load_config
from .device import check_device
from .hooks.class_order import trained_classes
from .prepare import name_classes

__all__ = ["TrainedModel", "build_loader", "load_trained"]


@dataclass
class TrainedModel:
    """A model in evaluation mode, the config that built it, and its class names in label order."""

    cfg: Config
    model: nn.Module
    class_names: list[str]


def load_trained(config: str | Config, checkpoint: str, device: str = "cpu") -> TrainedModel:
    """Build a config's model and load a checkpoint of it.

    Args:
        config: Path of a config, or a loaded one.
        checkpoint: A ``.pth`` file of that model.

    Raises:
        UserError: If a file is missing, the checkpoint is of another model, or the device is not there.
    """
    cfg = load_config(config) if isinstance(config, str) else config
    check_checkpoint_file(checkpoint)
    check_device(device)
    if not cfg.model.get("backbone"):
        raise UserError(
            f"model ({cfg.model.get('type')}) has no backbone and sees neither videos nor images; a translation model is for "
            "tools/test.py and tools/translate.py."
        )
    cfg.model.backbone["pretrained"] = None  # the checkpoint has all weights
    with DefaultScope.overwrite_default_scope(cfg.default_scope), plain_build_errors(cfg):
        model = MODELS.build(cfg.model)
    content = check_weights(model, checkpoint, complete=True)
    model.load_state_dict(
        weights_of(content, checkpoint), strict=False
    )  # all but counters of batch norm has been compared
    return TrainedModel(cfg, model.to(device).eval(), _class_names(cfg, content))


def build_loader(cfg: Config, split: str) -> DataLoader:
    """The data loader of a config's ``train``, ``val`` or ``test`` split, in the order of the list.

    Raises:
        UserError: If the config has no such split, or its data is missing or does not fit the model.
    """
    if not cfg.get(f"{split}_dataloader"):
        raise UserError(f"the config has no {split}_dataloader; choose another split.")
    check_data(cfg, (split,))
    name_classes(cfg, split)
    loader = {**cfg[f"{split}_dataloader"], "sampler": {"type": "DefaultSampler", "shuffle": False}}
    with DefaultScope.overwrite_default_scope(cfg.default_scope), plain_build_errors(cfg):
        return Runner.build_dataloader(loader, seed=0)


def _class_names(cfg: Config, checkpoint: Mapping) -> list[str]:
    """Names from the checkpoint, else from ``classes.txt`` beside the test list, else the labels themselves."""
    num_classes = cfg.model.cls_head.num_classes
    if names := trained_classes(checkpoint):
        return pad_class_names(names, num_classes)
    ann_file = cfg.test_dataloader.dataset.get("ann_file")
    if ann_file and (file := Path(ann_file).parent / CLASS_FILE).is_file():
        return pad_class_names(read_classes(file), num_classes)
    return [str(label) for label in range(num_classes)]
