"""A folder of frames, read as a video is."""

import os

from .frames import folder_layout, read_frames
from .video import Put, VideoFile

__all__ = ["FolderVideo"]


class FolderVideo(VideoFile):
    """Frames of a folder by number, in the order of their names; how they are named is found out (``frame_names``).

    A folder does not say how many frames a second has: ``fps`` is 0.
    """

    def __init__(self, path: str | os.PathLike) -> None:
        super().__init__(path, time_limit=None)
        self.layout, self.num_frames = folder_layout(path)
        self.fps = 0.0

    def _decode(self, indices: list[int], put: Put) -> None:
        for index in indices:
            number = [self.layout.first + index]
            put(index, read_frames(self.path, self.layout.template, number)[0])
