"""A stretch of a video, read as a video of its own."""

from .video import Put, VideoFile

__all__ = ["Excerpt"]


class Excerpt(VideoFile):
    """Frames ``start`` to ``stop`` (not included) of an open video, which stays open when this is closed."""

    def __init__(self, video: VideoFile, start: int, stop: int) -> None:
        super().__init__(video.path, time_limit=None)  # the video has its own
        if not 0 <= start < stop <= video.num_frames:
            raise ValueError(f"start ({start}) and stop ({stop}) must enclose frames, among 0 to {video.num_frames}.")
        self.video, self.start = video, start
        self.num_frames, self.fps = stop - start, video.fps

    @property
    def size(self) -> tuple[int, int]:
        return self.video.size

    def _decode(self, indices: list[int], put: Put) -> None:
        self.video.deadline.restart()
        self.video._decode(
            [self.start + index for index in indices], lambda number, image: put(number - self.start, image)
        )
