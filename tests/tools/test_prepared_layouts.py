"""Each data set in miniature, exactly as it is shipped: prepare it by its tool, train a step on it, test on it, check it."""

import importlib.util
import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import torch
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope
from mmengine.runner import Runner

from cgc_video.engine.checks import check_data
from cgc_video.engine.prepare import check_same_classes, name_classes
from tools.data.check import main as check

TOOLS = Path(__file__).parents[2] / "tools" / "data"
CLASSES = [
    "Pushing something from left to right",
    "Pushing something from right to left",
    "Holding something's lid (not cup)",
]


def render(label: int, width: int, height: int, frames: int = 6) -> list[np.ndarray]:
    images = [np.full((height, width, 3), 40, np.uint8) for _ in range(frames)]
    for step, image in enumerate(images):
        left = (0, width // 8 * step, width // 8 * (frames - step))[(label + 1) % 3]
        image[height // 4 : height // 2, left : left + width // 4] = 220
    return images


def write_video(
    path: Path, label: int, codec: str, size: tuple[int, int], options: dict[str, str] | None = None
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=Fraction(12), options=options or {})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for image in render(label, *size):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode())


def write_lines(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line}\n" for line in lines))


# Each builder writes three training clips (labels 0, 1, 2), two validation clips (0, 1) and what the archives hold besides.


def sthv1(root: Path) -> None:
    names = [CLASSES[1], CLASSES[2], CLASSES[0]]  # not sorted
    for video, label in enumerate([0, 1, 2, 0, 1], start=1):
        folder = root / "20bn-something-something-v1" / str(video)
        folder.mkdir(parents=True)
        for number, image in enumerate(render(label, 132, 100), start=1):
            cv2.imwrite(str(folder / f"{number:05d}.jpg"), image)
    prefix = root / "something-something-v1"
    write_lines(Path(f"{prefix}-labels.csv"), names)
    write_lines(Path(f"{prefix}-train.csv"), [f"{video};{CLASSES[video - 1]}" for video in (1, 2, 3)])
    write_lines(Path(f"{prefix}-validation.csv"), [f"{video};{CLASSES[video - 4]}" for video in (4, 5)])
    write_lines(Path(f"{prefix}-test.csv"), ["6"])


def sthv2(root: Path) -> None:
    fast = {"deadline": "realtime", "cpu-used": "8"}
    for video, label in enumerate([0, 1, 2, 0, 1], start=1):
        write_video(root / "20bn-something-something-v2" / f"{video}.webm", label, "libvpx-vp9", (84, 48), fast)

    def item(video: int, label: int) -> dict:
        template = CLASSES[label].replace("something", "[something]")
        return {"id": str(video), "label": "pushing a cup", "template": template, "placeholders": ["a cup"]}

    contents = {
        "labels": {name: str(index) for index, name in enumerate(sorted(CLASSES))},
        "train": [item(video, video - 1) for video in (1, 2, 3)],
        "validation": [item(video, video - 4) for video in (4, 5)],
        "test": [{"id": "6"}],
    }
    for name, content in contents.items():
        (root / f"something-something-v2-{name}.json").write_text(json.dumps(content))


def kinetics(root: Path, folder=lambda split, label: split) -> None:
    rows = {split: ["label,youtube_id,time_start,time_end,split"] for split in ("train", "validate", "test")}
    for video, label in enumerate([0, 1, 2, 0, 1]):
        split, shipped = ("train", "train") if video < 3 else ("val", "validate")
        name = f"-_{video:09d}"
        rows[shipped].append(f'"{CLASSES[label]}",{name},{10 * video},{10 * video + 10},{shipped}')
        path = root / folder(split, label) / f"{name}_{10 * video:06d}_{10 * video + 10:06d}.mp4"
        write_video(path, label, "libx264", (84, 48), {"preset": "ultrafast"})
    for split, lines in rows.items():
        write_lines(root / "annotations" / f"{split}.csv", lines)


def kinetics_by_class(root: Path) -> None:
    """As many copies are: class folders without punctuation."""
    kinetics(
        root,
        lambda split, label: (
            f"{split}/{CLASSES[label].replace(' ', '_').translate(str.maketrans('', '', chr(39) + '()'))}"
        ),
    )


def own_videos(root: Path) -> None:
    for label, name in enumerate(CLASSES):
        for clip in range(2 if label < 2 else 1):
            suffix, codec = (("mp4", "mpeg4"), ("avi", "mpeg4"))[clip]
            write_video(root / name / f"day {clip}" / f"clip {clip}.{suffix}", label, codec, (84, 48))


def own_frames(root: Path) -> None:
    for label, name in enumerate(CLASSES):
        for clip in range(2 if label < 2 else 1):
            folder = root / name / f"clip_{clip}"
            folder.mkdir(parents=True)
            for number, image in enumerate(render(label, 84, 48)):
                cv2.imwrite(str(folder / f"img_{number:04d}.jpg"), image)


# builder, its tool, folder of the media, and how frames are named
LAYOUTS = {
    "sthv1": (sthv1, "sthv1", "20bn-something-something-v1", ("{:05}.jpg", 1)),
    "sthv2": (sthv2, "sthv2", "20bn-something-something-v2", None),
    "kinetics": (kinetics, "kinetics", "", None),
    "kinetics by class": (kinetics_by_class, "kinetics", "", None),
    "own videos": (own_videos, "folder", "", None),
    "own frames": (own_frames, "folder", "", ("img_{:04}.jpg", 0)),
}


@pytest.fixture(scope="module")
def model():
    """One model for all: TSM-R18 on 2 frames."""
    cfg = Config.fromfile(str(Path(__file__).parents[2] / "configs" / "tsm_r18_cgc_mini.py")).model
    cfg.backbone.num_segments = cfg.cls_head.num_segments = 2
    cfg.cls_head.num_classes = 3
    with DefaultScope.overwrite_default_scope("mmaction"):
        return MODELS.build(cfg)


def prepare(tool: str, root: Path) -> int:
    spec = importlib.util.spec_from_file_location(f"layout_tool_{tool}", TOOLS / f"prepare_{tool}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main([str(root)])


def make_config(root: Path, media: str, frames: tuple[str, int] | None) -> Config:
    if frames:
        data = dict(type="ListedFrames", data_prefix=dict(img=str(root / media)))
        data |= dict(filename_tmpl=frames[0], start_index=frames[1])
        first, decode = [], dict(type="RawFrameDecode")
    else:
        data = dict(type="ListedVideos", data_prefix=dict(video=str(root / media)))
        first, decode = [dict(type="DecordInit")], dict(type="DecordDecode")

    def loader(name: str, size: int, **sampling) -> dict:
        pipeline = [
            *first,
            dict(type="SampleFrames", clip_len=1, frame_interval=1, num_clips=2, **sampling),
            decode,
            dict(type="Resize", scale=(32, 32), keep_ratio=False),
            dict(type="FlipByName", flip_ratio=0.0 if sampling else 0.5),
            dict(type="FormatShape", input_format="NCHW"),
            dict(type="PackActionInputs"),
        ]
        dataset = dict(data, ann_file=str(root / f"{name}_list.txt"), pipeline=pipeline, test_mode=bool(sampling))
        return dict(batch_size=size, num_workers=0, sampler=dict(type="DefaultSampler", shuffle=False), dataset=dataset)

    return Config(
        dict(
            model=dict(cls_head=dict(num_classes=3)),
            train_dataloader=loader("train", 3),
            val_dataloader=loader("val", 2, test_mode=True),
        )
    )


@pytest.mark.parametrize("layout", LAYOUTS)
def test_prepare_train_a_step_and_test(layout, tmp_path, model, capsys):
    build, tool, media, frames = LAYOUTS[layout]
    build(tmp_path)
    assert prepare(tool, tmp_path) == 0
    printed = capsys.readouterr().out
    assert "train: 3 listed, 3 found (100.0 %), 0 missing, 0 empty" in printed
    assert "val: 2 listed, 2 found (100.0 %), 0 missing, 0 empty" in printed

    cfg = make_config(tmp_path, media, frames)
    with DefaultScope.overwrite_default_scope("mmaction"):
        check_data(cfg, ("train", "val"))
        names = name_classes(cfg, "train")
        check_same_classes(names, name_classes(cfg, "val"))
        assert sorted(names) == sorted(CLASSES)
        train, val = (Runner.build_dataloader(cfg[f"{split}_dataloader"], seed=0) for split in ("train", "val"))
        assert train.dataset.metainfo["classes"] == names
        flip = next(step for step in train.dataset.pipeline.transforms if type(step).__name__ == "FlipByName")
        left, right = names.index(CLASSES[0]), names.index(CLASSES[1])
        assert flip.flip_label_map == {left: right, right: left}

        wrapper = build_optim_wrapper(model, dict(optimizer=dict(type="SGD", lr=0.001)))
        model.train()
        (batch,) = train
        losses = model.train_step(batch, wrapper)
        assert torch.isfinite(losses["loss"])

        model.eval()
        metric = METRICS.build(dict(type="AccMetric"))
        metric.dataset_meta = val.dataset.metainfo
        with torch.no_grad():
            for batch in val:
                metric.process(batch, [sample.to_dict() for sample in model.val_step(batch)])
        assert 0 <= metric.evaluate(2)["acc/top1"] <= 1

    # the true label of a clip is that of its class's name
    labels = [names.index(CLASSES[label]) for label in (0, 1)]
    assert sorted(val.dataset.get_data_info(i)["label"] for i in range(2)) == sorted(labels)
    assert check([str(tmp_path / "train_list.txt"), "--workers", "1"]) == 0
    if " " not in val.dataset.get_data_info(0)["filename" if frames is None else "frame_dir"]:
        assert_mmaction_reads_the_same(cfg.val_dataloader.dataset, val.dataset)


def assert_mmaction_reads_the_same(cfg: dict, ours) -> None:
    theirs = {"ListedVideos": "VideoDataset", "ListedFrames": "RawframeDataset"}[cfg["type"]]
    with DefaultScope.overwrite_default_scope("mmaction"):
        dataset = DATASETS.build({**cfg, "type": theirs, "pipeline": []})
    assert [dataset.get_data_info(i) for i in range(len(dataset))] == [ours.get_data_info(i) for i in range(len(ours))]
