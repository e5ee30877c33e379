"""MMAction2's data sets over lists that are checked line by line; paths may hold spaces (Kinetics' class folders do)."""

import os

from mmaction.datasets import RawframeDataset, VideoDataset
from mmaction.registry import DATASETS

from .lists import read_list

__all__ = ["ListedFrames", "ListedVideos"]


@DATASETS.register_module()
class ListedVideos(VideoDataset):
    """Videos of a list ``path label``; arguments as in MMAction2's ``VideoDataset``."""

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix["video"]
        return [
            {"filename": os.path.join(folder, entry["filename"]), "label": entry["label"]}
            for entry in read_list(self.ann_file, "video")
        ]


@DATASETS.register_module()
class ListedFrames(RawframeDataset):
    """Frame folders of a list ``folder frames label``; arguments as in MMAction2's ``RawframeDataset``."""

    def load_data_list(self) -> list[dict]:
        folder = self.data_prefix["img"]
        return [
            {**entry, "frame_dir": os.path.join(folder, entry["frame_dir"])}
            for entry in read_list(self.ann_file, "rawframes")
        ]
