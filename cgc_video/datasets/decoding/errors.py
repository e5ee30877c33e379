"""The one error of this room: a file, and why it cannot be decoded."""

from ...errors import UserError

__all__ = ["DecodeError"]


class DecodeError(UserError):
    """A file that cannot be decoded.

    Attributes:
        path: The file, or the frame of a folder, as it was asked for.
        reason: One clause: ``"missing"``, ``"empty (0 bytes)"``, ``"audio only"``, ``"damaged after frame 31"``, ...
    """

    def __init__(self, path: object, reason: str = "") -> None:
        # both go to args, by which an error is sent between processes
        super().__init__(str(path), reason)
        self.path, self.reason = str(path), reason

    def __str__(self) -> str:
        # torch's loader raises a worker's error again with its text as the only argument
        return f"{self.path} cannot be decoded: {self.reason}." if self.reason else self.path
