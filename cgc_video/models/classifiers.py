"""The image classifier: backbone and head, in the manner of MMAction2's recognizers."""

from mmaction.models import BaseRecognizer
from mmaction.registry import MODELS
from torch import Tensor

from .pretrained import classifier_state

__all__ = ["ImageClassifier"]


@MODELS.register_module()
class ImageClassifier(BaseRecognizer):
    """Classifies images ``(N, 3, H, W)``, which MMAction2's ``ActionDataPreprocessor(format_shape="NCHW")`` stacks.

    Trains and tests by MMAction2's data samples, so that metrics, hooks and tools are those of the recognizers. Mixup is the
    preprocessor's: ``blending=dict(type="MixupBlending", num_classes=1000, alpha=0.2)``.

    A state dict of a torchvision ResNet, classifier included, loads as if it were its own: with ``load_from``, in a test, or by
    ``load_state_dict``.
    """

    def extract_feat(self, inputs: Tensor, stage: str = "backbone", data_samples=None, test_mode: bool = False) -> tuple:
        """Features ``(N, C, h, w)`` of the backbone, or the head's scores under ``stage="head"``; and no arguments for the head.

        Args:
            inputs: Normalised images ``(N, 3, H, W)``.
        """
        features = self.backbone(inputs)
        return (self.cls_head(features) if stage == "head" else features), {}

    def own_names(self, state: dict[str, Tensor]) -> dict[str, Tensor]:
        """A state dict under this model's names: torchvision's are renamed, others stay."""
        return classifier_state(state)

    def _load_from_state_dict(self, state_dict, prefix, *args, **kwargs) -> None:
        if f"{prefix}conv1.weight" in state_dict:
            theirs = {key: state_dict.pop(key) for key in list(state_dict) if key.startswith(prefix)}
            own = self.own_names({key.removeprefix(prefix): value for key, value in theirs.items()})
            state_dict.update({prefix + key: value for key, value in own.items()})
        super()._load_from_state_dict(state_dict, prefix, *args, **kwargs)
