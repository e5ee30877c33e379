"""MMAction2's data sets over lists that are checked line by line; paths may hold spaces (Kinetics' class folders do).

The class names beside a list are part of the data set: they go into its ``metainfo``, from there into checkpoints, and to
the transforms that need them. A file that cannot be decoded stops no training (see ``faults``).
"""

import os
from typing import Any

from mmaction.datasets import RawframeDataset, VideoDataset
from mmaction.registry import DATASETS

from .decoding.errors import DecodeError
from .decoding.frames import FrameLayout, detect_layout, folder_layout
from .faults import FaultTolerant
from .lists import CLASS_FILE, read_classes, read_list
from .sample_seeds import SeededSamples

__all__ = ["ListedFrames", "ListedVideos"]

_LOOKED_INTO = 16  # folders, to find how frames are named


class _NamedClasses:
    """Adds ``metainfo["classes"]`` from the class file, unless the config gives names, and tells transforms of them."""

    def __init__(self, *args: Any, class_file: str | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        path = class_file or os.path.join(os.path.dirname(self.ann_file), CLASS_FILE)
        if not self._metainfo.get("classes") and (class_file or os.path.isfile(path)):
            self._metainfo["classes"] = read_classes(path)
        if names := self._metainfo.get("classes"):
            for step in self.pipeline.transforms:
                if hasattr(step, "use_classes"):
                    step.use_classes(list(names))


@DATASETS.register_module()
class ListedVideos(SeededSamples, FaultTolerant, _NamedClasses, VideoDataset):
    """Videos of a list ``path label``; arguments as in MMAction2's ``VideoDataset``.

    Args:
        class_file: Class names in label order; by default ``classes.txt`` beside the list, if it is there.
        max_bad_share: See ``FaultTolerant``, which says what becomes of a file that cannot be decoded.
        skip_bad: Likewise.
    """

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix["video"]
        return [
            {"filename": os.path.join(folder, entry["filename"]), "label": entry["label"]}
            for entry in read_list(self.ann_file, "video", self.num_classes)
        ]


@DATASETS.register_module()
class ListedFrames(SeededSamples, FaultTolerant, _NamedClasses, RawframeDataset):
    """Frame folders of a list ``folder frames label``; arguments as in MMAction2's ``RawframeDataset``.

    Args:
        filename_tmpl, start_index: How frames are named, such as ``"img_{:05}.jpg"`` from 1. Left out, both are found by looking into the first
            folders; given, they are checked against them.
        class_file, max_bad_share, skip_bad: As in ``ListedVideos``.

    Raises:
        UserError: If folders contradict each other or what was given.
    """

    def __init__(
        self, *args: Any, filename_tmpl: str | None = None, start_index: int | None = None, **kwargs: Any
    ) -> None:
        self._expected = filename_tmpl, start_index
        super().__init__(*args, **kwargs)

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix["img"]
        entries = [
            {**entry, "frame_dir": os.path.join(folder, entry["frame_dir"])}
            for entry in read_list(self.ann_file, "rawframes", self.num_classes)
        ]
        self._find_layout([entry["frame_dir"] for entry in entries[:_LOOKED_INTO]])
        return entries

    def _find_layout(self, folders: list[str]) -> None:
        template, first = self._expected
        if template is not None and first is not None and not any(map(_is_readable, folders)):
            self.filename_tmpl, self.start_index = (
                template,
                first,
            )  # nothing to check against; each sample tells its fault
            return
        found = detect_layout(folders)
        expected = FrameLayout(
            found.template if template is None else template, found.first if first is None else first
        )
        if expected != found:
            detect_layout(folders, expected)  # raises where they mean other files
        self.filename_tmpl, self.start_index = expected.template, expected.first


def _is_readable(folder: str) -> bool:
    try:
        folder_layout(folder)
    except DecodeError:
        return False
    return True
