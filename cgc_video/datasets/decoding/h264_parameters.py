"""What the sequence parameter set of H.264 says, from the configuration record of MP4 and Matroska.

Sources: ITU-T H.264 (7.3.2.1.1, 7.4.2.1.1), ISO/IEC 14496-15 (5.3.3).
"""

from functools import lru_cache
from typing import NamedTuple

__all__ = ["h264_is_interlaced", "h264_keeps_order"]

_PROFILES_WITH_CHROMA_FORMAT = {44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244}


class _Bits:
    """Reads bits from the first; beyond the end there are ones, so that every exp-Golomb code ends."""

    def __init__(self, data: bytes) -> None:
        self.value, self.left = int.from_bytes(data, "big"), 8 * len(data)

    def read(self, count: int = 1) -> int:
        value = 0
        for _ in range(count):
            self.left -= 1
            value = 2 * value + (self.value >> self.left & 1 if self.left >= 0 else 1)
        return value

    def ue(self) -> int:
        zeros = 0
        while not self.read():
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)

    def se(self) -> int:
        code = self.ue()
        return (code + 1) // 2 if code % 2 else -(code // 2)


class _Sequence(NamedTuple):
    """What a sequence parameter set says.

    Attributes:
        order_type: ``pic_order_cnt_type``; at 2, pictures are shown in decoding order.
        frames_only: ``frame_mbs_only_flag``.
    """

    order_type: int
    frames_only: bool


def h264_is_interlaced(extradata: bytes) -> bool:
    """Whether the first sequence parameter set allows fields."""
    sequence = _first_sequence(extradata)
    return sequence is not None and not sequence.frames_only


def h264_keeps_order(extradata: bytes) -> bool:
    """Whether there is one sequence parameter set, and it says that pictures are shown in decoding order."""
    sequence = _first_sequence(extradata)
    return extradata[5] & 0x1F == 1 and sequence is not None and sequence.order_type == 2


@lru_cache(maxsize=64)  # the files of a data set are often of one make
def _first_sequence(extradata: bytes) -> _Sequence | None:
    length = int.from_bytes(extradata[6:8], "big")
    sps = extradata[8 : 8 + length].replace(b"\0\0\3", b"\0\0")
    if extradata[5] & 0x1F == 0 or len(sps) < 5:
        return None
    bits = _Bits(sps[4:])
    bits.ue()  # seq_parameter_set_id
    if sps[1] in _PROFILES_WITH_CHROMA_FORMAT:
        chroma_format = bits.ue()
        if chroma_format == 3:
            bits.read()
        bits.ue(), bits.ue(), bits.read()  # bit depths, transform bypass
        if bits.read():
            for number in range(8 if chroma_format != 3 else 12):
                if bits.read():
                    _skip_scaling_list(bits, 16 if number < 6 else 64)
    bits.ue()  # log2_max_frame_num
    order_type = bits.ue()
    if order_type == 0:
        bits.ue()
    elif order_type == 1:
        bits.read(), bits.se(), bits.se()
        for _ in range(min(bits.ue(), 255)):
            bits.se()
    bits.ue(), bits.read(), bits.ue(), bits.ue()  # reference frames, gaps, width, height
    return _Sequence(order_type, bool(bits.read()))


def _skip_scaling_list(bits: _Bits, size: int) -> None:
    last = following = 8
    for _ in range(size):
        if following:
            following = (last + bits.se()) % 256
        last = following or last
