"""The answer to one clip: the best classes, and a clip of where the network found the first of them."""

from dataclasses import dataclass
from pathlib import Path

from ...analysis.gradcam.explain import explain, first_view, last_feature_layer
from ...analysis.gradcam.pictures import overlay, write_mp4
from ...analysis.layers import find_layer
from ...errors import UserError
from ..recognition import Prediction, Recognizer, predict
from .limits import Limits

__all__ = ["Answer", "Answerer"]

_FPS = 4  # of the explanation; its frames are those that the network was given, far apart in time
_TOP_K = 5


@dataclass(frozen=True)
class Answer:
    """The most probable classes, and an MP4 of Grad-CAM over the frames of the first view; or why there is neither."""

    predictions: list[Prediction]
    explanation: Path | None
    message: str = ""


class Answerer:
    """Answers for one model.

    Args:
        recognizer: A model for videos.
        folder: Where explanations are written; it holds the last one only.
        layer: The layer of Grad-CAM; by default the last stage of the backbone.

    Raises:
        UserError: If the model takes images, or has no such layer.
    """

    def __init__(
        self, recognizer: Recognizer, folder: Path, limits: Limits | None = None, layer: str | None = None
    ) -> None:
        if recognizer.pipeline.takes_images:
            raise UserError("this model takes images; give the page a model for videos.")
        self.recognizer, self.folder, self.limits = recognizer, folder, limits or Limits()
        self.layer = layer or last_feature_layer(recognizer.model)
        find_layer(recognizer.model, self.layer)
        self._count = 0

    def __call__(self, path: str | Path | None) -> Answer:
        """Name what a file shows. A file that cannot be used gives a message, never an error."""
        if path is None:
            return Answer([], None, "Drop a clip first.")
        path = Path(path)
        try:
            self.limits.check(path)
            predictions = predict(self.recognizer, path, _TOP_K)
            found = explain(
                self.recognizer.model, first_view(self.recognizer.model, self.recognizer.pipeline(path)), self.layer
            )
        except UserError as error:
            # where an upload is kept means nothing to who sent it
            return Answer([], None, str(error).replace(str(path), path.name))
        for old in self.folder.glob("*.mp4"):
            old.unlink()
        self._count += 1  # a new name each time: browsers keep what they have seen
        explanation = self.folder / f"gradcam_{self._count}.mp4"
        write_mp4(explanation, overlay(found.frames, found.maps[self.layer]), _FPS)
        return Answer(predictions, explanation)
