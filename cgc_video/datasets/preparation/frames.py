"""How frames are named: the rule is that of ``decoding.frame_names``, so that what preparation lists is what training reads."""

from ..decoding.frame_names import FrameNames, name_frames, read_frame_folder

__all__ = ["FrameNames", "name_frames", "read_frame_folder"]
