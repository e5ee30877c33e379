"""Classification heads."""

from mmaction.models.heads import BaseHead
from mmaction.registry import MODELS
from mmengine.model import normal_init
from torch import Tensor, nn

__all__ = ["LinearHead"]


@MODELS.register_module()
class LinearHead(BaseHead):
    """Average over all positions, dropout, and a linear layer.

    Labels may be soft, as mixup makes them; the accuracy of the batch, which then has no meaning, is left out of the losses.

    Args:
        num_classes: Outputs.
        in_channels: ``C``.
        dropout_ratio: Probability of leaving a feature out in training.
        init_std: Standard deviation of the linear layer's weights; its biases start at zero.
        others: As in MMAction2's ``BaseHead``: ``loss_cls``, ``label_smooth_eps``, ``topk``, ``average_clips`` and so on.
    """

    def __init__(
        self,
        num_classes: int,
        in_channels: int,
        dropout_ratio: float = 0.0,
        init_std: float = 0.01,
        average_clips: str = "prob",
        **kwargs,
    ) -> None:
        super().__init__(num_classes, in_channels, average_clips=average_clips, **kwargs)
        self.init_std = init_std
        self.dropout = nn.Dropout(dropout_ratio)
        self.fc_cls = nn.Linear(in_channels, num_classes)

    def init_weights(self) -> None:
        normal_init(self.fc_cls, std=self.init_std)

    def forward(self, x: Tensor) -> Tensor:
        """Map features ``(N, C, H, W)`` to scores ``(N, num_classes)``."""
        return self.fc_cls(self.dropout(x.flatten(2).mean(2)))
