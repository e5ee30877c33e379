"""Pictures of test clips with their true and predicted class."""

from pathlib import Path

import cv2
import numpy as np
from mmaction.registry import HOOKS
from mmengine.hooks import Hook
from torch import Tensor

from ...datasets.faults import COUNTED_WRONG, SKIPPED
from ...models.lazy_views import SampleViews, batch_samples

__all__ = ["PredictionHook", "contact_sheet", "first_view"]

_CAPTION_HEIGHT, _LEAST_WIDTH, _FRAME_HEIGHT, _MOST_FRAMES = 40, 480, 160, 8


def first_view(inputs: Tensor | SampleViews, num_segments: int) -> np.ndarray:
    """Frames of the first view of a packed sample, before normalisation; at most 8, evenly spaced.

    Args:
        inputs: ``(views * T, C, H, W)`` or ``(views, C, T, H, W)``, RGB in 0..255, all at once or cut on demand; ``(C, H, W)`` of
            an image.
        num_segments: ``T`` of the former.
    Returns:
        ``(T, H, W, C)`` uint8.
    """
    if isinstance(inputs, SampleViews):
        inputs = inputs.cut(0, num_segments if len(inputs.shape) == 4 else 1)
    if inputs.ndim == 3:
        inputs = inputs.unsqueeze(0)
    frames = inputs[0].transpose(0, 1) if inputs.ndim == 5 else inputs[:num_segments]
    frames = frames[:: max(1, len(frames) // _MOST_FRAMES)][:_MOST_FRAMES]
    return frames.permute(0, 2, 3, 1).cpu().numpy().astype(np.uint8)


def contact_sheet(frames: np.ndarray, lines: list[str]) -> np.ndarray:
    """Frames side by side under a caption of up to two lines; BGR for OpenCV."""
    strip = np.concatenate(list(frames), axis=1)[..., ::-1]
    scale = _FRAME_HEIGHT / strip.shape[0]
    strip = cv2.resize(strip, (round(scale * strip.shape[1]), _FRAME_HEIGHT))
    width = max(_LEAST_WIDTH, strip.shape[1])
    sheet = np.full((_CAPTION_HEIGHT + strip.shape[0], width, 3), 255, np.uint8)
    sheet[_CAPTION_HEIGHT:, : strip.shape[1]] = strip
    for row, line in enumerate(lines[:2]):
        cv2.putText(sheet, line, (4, 15 + 18 * row), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 1, cv2.LINE_AA)
    return sheet


@HOOKS.register_module()
class PredictionHook(Hook):
    """Draws every ``interval``-th clip of a test, to ``out_dir`` as ``<number>_<right|wrong>.jpg``, or in a window.

    Args:
        wait_time: Seconds that a window stays.
        num_segments: Frames per view, for 2D recognizers.
    """

    def __init__(
        self,
        out_dir: str | None = None,
        show: bool = False,
        interval: int = 1,
        wait_time: float = 2.0,
        num_segments: int = 8,
    ) -> None:
        self.num_segments = num_segments
        self.out_dir = None if out_dir is None else Path(out_dir)
        self.show, self.interval, self.wait_time = show, interval, wait_time
        self._seen = 0

    def before_test_epoch(self, runner) -> None:
        self._seen = runner.rank  # samples are dealt to the processes in turn
        if self.out_dir is not None:
            self.out_dir.mkdir(parents=True, exist_ok=True)

    def after_test_iter(self, runner, batch_idx: int, data_batch=None, outputs=None) -> None:
        names = (getattr(runner.test_dataloader.dataset, "metainfo", None) or {}).get("classes")
        for inputs, sample in zip(batch_samples(data_batch["inputs"]), outputs, strict=True):
            # a stand-in for a bad file is no clip of the test
            if self._seen % self.interval == 0 and SKIPPED not in sample and COUNTED_WRONG not in sample:
                self._draw(inputs, sample, names)
            self._seen += runner.world_size

    def _draw(self, inputs: Tensor | SampleViews, sample, names: list[str] | None) -> None:
        true, predicted = int(sample.gt_label), int(sample.pred_score.argmax())
        title = [names[i] if names else f"class {i}" for i in (true, predicted)]
        lines = [f"true: {title[0]}", f"predicted: {title[1]} ({float(sample.pred_score[predicted]):.2f})"]
        sheet = contact_sheet(first_view(inputs, self.num_segments), lines)
        if self.out_dir is not None:
            verdict = "right" if true == predicted else "wrong"
            cv2.imwrite(str(self.out_dir / f"{self._seen:06d}_{verdict}.jpg"), sheet)
        if self.show:
            cv2.imshow("prediction", sheet)
            cv2.waitKey(max(1, int(1000 * self.wait_time)))
