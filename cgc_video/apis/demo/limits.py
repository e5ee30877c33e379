"""What the page takes: a stranger's file must neither fill the disk nor keep the network busy for hours."""

from dataclasses import dataclass
from pathlib import Path

from ...errors import UserError
from ..sources import open_source

__all__ = ["Limits"]

_FRAMES_PER_SECOND = 30  # of files that do not say


@dataclass(frozen=True)
class Limits:
    """The largest file (10^6 bytes each) and the longest clip (seconds)."""

    megabytes: float = 100.0
    seconds: float = 60.0

    def __post_init__(self) -> None:
        for name in ("megabytes", "seconds"):
            if not getattr(self, name) > 0:
                raise UserError(f"{name} ({getattr(self, name)}) must be more than 0.")

    def check(self, path: Path) -> None:
        """Refuse a file that is too large or too long.

        Raises:
            UserError: If it is, or cannot be decoded.
        """
        size = path.stat().st_size / 1e6
        if size > self.megabytes:
            raise UserError(
                f"{path.name} has {size:.1f} MB; this page takes {self.megabytes:g} MB at most: cut the clip shorter."
            )
        with open_source(path) as video:
            seconds = video.num_frames / (video.fps or _FRAMES_PER_SECOND)
        if seconds > self.seconds:
            raise UserError(
                f"{path.name} lasts {seconds:.1f} s; this page takes {self.seconds:g} s at most: cut the clip shorter."
            )
