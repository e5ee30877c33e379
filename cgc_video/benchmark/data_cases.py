"""The data path's cases: what MMAction2's stock pipeline does, and ours for the same sample."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .data_files import FrameFolder

__all__ = ["DataCase", "data_cases"]

Pipeline = tuple[dict[str, Any], ...]


@dataclass(frozen=True)
class DataCase:
    """Two pipelines for the same sample.

    Attributes:
        samples: What the pipelines start from, one dictionary per file.
        same: What the outputs have in common: ``"pixels"`` (every one equal), or ``"shape"`` (shape and dtype).
        other_samples: What our pipeline starts from, where that is another file.
        groups: A name per sample, where samples are told apart in the table.
    """

    name: str
    stock: Pipeline
    ours: Pipeline
    samples: tuple[dict[str, Any], ...]
    same: str = "pixels"
    other_samples: tuple[dict[str, Any], ...] = field(default=())
    groups: tuple[str, ...] = field(default=())

    def sample(self, who: str, index: int) -> dict[str, Any]:
        chosen = self.other_samples if who == "ours" and self.other_samples else self.samples
        return dict(chosen[index])


def _step(kind: str, **arguments: Any) -> dict[str, Any]:
    return {"type": kind, **arguments}


# A training sample of TSM's code: one frame of each of 8 segments, multi-scale crop, mirrored or not.
_SAMPLE = _step("SampleFrames", clip_len=1, frame_interval=1, num_clips=8)
_CROP = _step(
    "MultiScaleCrop",
    input_size=224,
    scales=(1, 0.875, 0.75, 0.66),
    random_crop=False,
    max_wh_scale_gap=1,
    num_fixed_crops=13,
)
_PACK = (_step("FormatShape", input_format="NCHW"), _step("PackActionInputs"))
_TRAIN = (_step("Resize", scale=(-1, 256)), _CROP, _step("Resize", scale=(224, 224), keep_ratio=False), _step("Flip"))
_LAZY_TRAIN = tuple({**step, "lazy": True} for step in _TRAIN)
# A test sample of the 3D networks: 10 clips of 32 frames at interval 2, three crops.
_SAMPLE_TEST = _step("SampleFrames", clip_len=32, frame_interval=2, num_clips=10, test_mode=True)
_RESIZE = _step("Resize", scale=(-1, 256))
_LAZY_KEYS = ("frames", "frame_places", "boxes")


def data_cases(
    videos: Sequence[Path], fast_videos: Sequence[Path], frame_folders: Sequence[FrameFolder]
) -> list[DataCase]:
    """All cases.

    Args:
        videos: Files as they come.
        fast_videos: The same, re-encoded by ``tools/data/reencode.py``.
        frame_folders: Folders of ``img_00001.jpg`` onwards, of several sizes.
    """
    files = tuple(_video(path) for path in videos)
    folders = tuple(_folder(folder) for folder in frame_folders)
    sides = tuple(f"short side {folder.side}" for folder in frame_folders)
    stock_video = (_step("DecordInit", num_threads=1), _SAMPLE, _step("DecordDecode"), *_TRAIN, *_PACK)
    our_video = (_step("VideoOpen"), _SAMPLE, _step("VideoDecode"), *_TRAIN, *_PACK)
    stock_frames = (_SAMPLE, _step("RawFrameDecode"), *_TRAIN, *_PACK)
    planned, exact = (_SAMPLE, _step("FrameOpen"), *_LAZY_TRAIN), _step("FrameDecode", exact=True)
    stock_test = (
        _step("DecordInit", num_threads=1),
        _SAMPLE_TEST,
        _step("DecordDecode"),
        _RESIZE,
        _step("ThreeCrop", crop_size=256),
        _step("FormatShape", input_format="NCTHW"),
        _step("PackActionInputs"),
    )
    lazy_test = (
        _step("VideoOpen", with_size=True),
        _SAMPLE_TEST,
        {**_RESIZE, "lazy": True},
        _step("VideoDecode", unique=True),
        _step("LazyViews", crop_size=256, crops=3, input_format="NCTHW"),
        _step("PackActionInputs", collect_keys=_LAZY_KEYS),
    )
    return [
        DataCase("train-video", stock_video, our_video, files),
        DataCase("train-frames", stock_frames, (_SAMPLE, _step("FrameDecode"), *_TRAIN, *_PACK), folders, groups=sides),
        DataCase("train-frames-exact", stock_frames, (*planned, exact, *_PACK), folders, groups=sides),
        DataCase(
            "train-frames-fused", stock_frames, (*planned, _step("FrameDecode"), *_PACK), folders, "shape", groups=sides
        ),
        DataCase("test-10x3x32", stock_test, lazy_test, files),
        DataCase(
            "train-reencoded", stock_video, our_video, files, "shape", tuple(_video(path) for path in fast_videos)
        ),
    ]


def _video(path: Path) -> dict[str, Any]:
    return {"filename": str(path), "label": 0, "start_index": 0, "modality": "RGB"}


def _folder(folder: FrameFolder) -> dict[str, Any]:
    return {
        "frame_dir": str(folder.path),
        "total_frames": folder.count,
        "filename_tmpl": "img_{:05}.jpg",
        "label": 0,
        "start_index": 1,
        "modality": "RGB",
    }
