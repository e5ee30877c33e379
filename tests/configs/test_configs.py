"""Every config builds, trains one step and tests one batch, on tiny inputs; and says what the paper says."""

from pathlib import Path

import pytest
import torch
from mmaction.registry import DATASETS, METRICS, MODELS
from mmengine.config import Config
from mmengine.dataset import pseudo_collate
from mmengine.optim import build_optim_wrapper
from mmengine.registry import DefaultScope

from cgc_video.layers import CGC1d, CGC2d, CGC3d

FOLDER = Path(__file__).resolve().parents[2] / "configs"
CONFIGS = sorted(path for path in FOLDER.glob("*.py") if not path.stem.startswith(("lightconv", "transformer")))
EXPECTED = (
    {f"{m}_r50{v}_sthv1" for m in ("tsn", "tsm") for v in ("", "_nl", "_cgc")}
    | {"tsm_r50_16f_sthv1", "tsm_r50_16f_cgc_sthv1"}
    | {f"p3d_r50{v}_sthv1" for v in ("", "_nl", "_cgc1d", "_cgc3d", "_cgc")}
    | {f"tsm_r50{v}_k400" for v in ("", "_nl", "_cgc", "_nl_cgc")}
    | {f"{m}_r18{v}_mini" for m in ("tsn", "tsm", "p3d") for v in ("", "_cgc")}
    | {"tsm_r50_cgc_mini", "tsm_r50_sthv2", "tsm_r50_cgc_sthv2"}
)
# 256 pixels become 40, 224 become 32; tests score 2 clips where the protocol has 10
SMALLER = {256: 40, 224: 32}
# an image has one frame: with 32 pixels, a norm of the last stage would see two values a channel, and its gradient explode
SMALLER_IMAGES = {256: 72, 224: 64}
by_name = pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)


def load(path: Path) -> Config:
    return Config.fromfile(str(path))


def shrink(pipeline: list[dict], sizes: dict[int, int]) -> list[dict]:
    def small(value):
        return type(value)(small(v) for v in value) if isinstance(value, list | tuple) else sizes.get(value, value)

    steps = [{key: small(value) for key, value in step.items()} for step in pipeline]
    for step in steps:
        if step.get("clip_len", 1) > 1:
            step["num_clips"] = min(step.get("num_clips", 1), 2)
        if step.get("num_sample_positions", 1) > 2:
            step["num_sample_positions"] = 2
    return steps


def one_batch(cfg: Config, split: str, size: int) -> tuple[dict, dict]:
    """The first samples of a split, and the metainfo of its data set."""
    dataset_cfg = cfg[f"{split}_dataloader"].dataset.to_dict()
    sizes = SMALLER_IMAGES if cfg.model.type == "ImageClassifier" else SMALLER
    dataset = DATASETS.build({**dataset_cfg, "pipeline": shrink(dataset_cfg["pipeline"], sizes)})
    return pseudo_collate([dataset[index] for index in range(size)]), dataset.metainfo


def test_every_promised_config_is_there():
    assert {path.stem for path in CONFIGS} >= EXPECTED


@by_name
def test_builds_trains_a_step_and_tests_a_batch(path: Path, data_folder: Path, monkeypatch):
    monkeypatch.chdir(data_folder)
    cfg = load(path)
    cfg.model.backbone.pretrained = None
    if cfg.model.backbone.depth == 110:
        cfg.model.backbone.depth = 20  # three blocks in a stage in place of 18
    with DefaultScope.overwrite_default_scope(cfg.default_scope):
        model = MODELS.build(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
        # a step at the config's rate, into the decoders: they start at zero
        log = model.train().train_step(one_batch(cfg, "train", 2)[0], wrapper)
        assert torch.isfinite(log["loss"])
        gates = [
            module.gate
            for module in model.modules()
            if isinstance(module, CGC1d | CGC2d | CGC3d) and module.gate is not None
        ]
        assert bool(gates) == ("_cgc" in path.stem)
        decoders = [decoder for gate in gates for decoder in (gate.decode_in, gate.decode_out) if decoder is not None]
        assert len(decoders) >= len(gates)
        assert all(decoder.weight.any() for decoder in decoders)
        with torch.no_grad():
            batch, metainfo = one_batch(cfg, "test", 1)
            samples = model.eval().test_step(batch)
        evaluator = METRICS.build(cfg.test_evaluator[0])
        evaluator.dataset_meta = metainfo
    evaluator.process(None, [sample.to_dict() for sample in samples])
    assert samples[0].pred_score.sum().item() == pytest.approx(1, abs=1e-4)
    assert len(samples[0].pred_score) == cfg.num_classes
    assert set(evaluator.evaluate(1)) == {"acc/top1", "acc/top5", "acc/mean1"}


@pytest.mark.parametrize("name", ["tsm_r50_cgc_sthv1", "p3d_r50_cgc_sthv1", "tsm_r50_nl_cgc_k400"])
def test_gates_train_at_a_tenth_of_the_rate_and_norms_do_not_decay(name: str):
    cfg = load(FOLDER / f"{name}.py")
    with DefaultScope.overwrite_default_scope(cfg.default_scope), torch.device("meta"):
        model = MODELS.build(cfg.model)
        wrapper = build_optim_wrapper(model, cfg.optim_wrapper)
    rate = cfg.optim_wrapper.optimizer.lr
    names = {id(value): name for name, value in model.named_parameters()}
    groups = {names[id(group["params"][0])]: group for group in wrapper.optimizer.param_groups}
    assert len(groups) == len(names)
    for name, group in groups.items():
        expected = 0.1 * rate if ".gate." in name else rate
        if name == "cls_head.fc_cls.weight":
            expected = 5 * rate
        elif name == "cls_head.fc_cls.bias":
            expected = 10 * rate
        elif name.endswith("conv.bias"):  # of non-local blocks
            expected = 2 * rate
        assert group["lr"] == pytest.approx(expected), name
        plain_weight = name.endswith("weight") and ".bn" not in name and ".norm_" not in name
        assert (group["weight_decay"] > 0) == plain_weight, name


def test_training_settings_of_the_paper():
    tsm, sixteen, p3d, kinetics = (load(FOLDER / f"{name}.py") for name in
                                   ("tsm_r50_sthv1", "tsm_r50_16f_sthv1", "p3d_r50_sthv1", "tsm_r50_k400"))  # fmt: skip
    for cfg, epochs, rate, milestones, decay, batch, dropout in (
        (tsm, 45, 0.025, [26, 36], 5e-4, 64, 0.5),
        (sixteen, 45, 0.025, [26, 36], 5e-4, 32, 0.5),
        (p3d, 50, 0.01, [30, 40, 45], 5e-4, 64, 0.8),
        (kinetics, 100, 0.01, [40, 80], 1e-4, 64, 0.5),
    ):
        assert cfg.train_cfg.max_epochs == cfg.param_scheduler[0].end == epochs
        assert cfg.param_scheduler[0].milestones == milestones
        optimizer = cfg.optim_wrapper.optimizer
        assert (optimizer.lr, optimizer.momentum, optimizer.weight_decay) == (rate, 0.9, decay)
        assert not optimizer.get("nesterov", False)
        assert cfg.optim_wrapper.clip_grad.max_norm == 20
        assert cfg.auto_scale_lr.base_batch_size == 8 * cfg.train_dataloader.batch_size == batch
        assert cfg.model.cls_head.dropout_ratio == dropout


def test_test_protocols():
    def steps(name: str) -> dict:
        return {step["type"]: step for step in load(FOLDER / f"{name}.py").test_dataloader.dataset.pipeline}

    assert steps("tsm_r50_cgc_sthv1")["CenterCrop"].crop_size == 224
    assert not steps("tsm_r50_cgc_sthv1")["SampleFrames"].get("twice_sample", False)
    accurate = steps("tsm_r50_16f_cgc_sthv1_accurate")
    assert accurate["SampleFrames"].twice_sample
    assert accurate["SampleFrames"].num_clips == 16
    assert accurate["ThreeCrop"].crop_size == 256
    p3d = steps("p3d_r50_cgc_sthv1")
    assert (p3d["SampleFrames"].num_clips, p3d["SampleFrames"].clip_len, p3d["ThreeCrop"].crop_size) == (10, 32, 256)
    assert steps("tsm_r50_cgc_k400")["DenseSampleFrames"].num_sample_positions == 10
    assert steps("tsm_r50_cgc_k400_efficient")["DenseSampleFrames"].num_sample_positions == 1


@pytest.mark.parametrize(
    "path", [p for p in CONFIGS if "_cgc" in p.stem and p.stem.endswith(("sthv1", "k400"))], ids=lambda p: p.stem
)
def test_a_cgc_config_is_its_baseline_plus_one_line(path: Path):
    lines = [line for line in path.read_text().splitlines() if line and not line.startswith("#")]
    assert len(lines) == 2
    assert lines[0].startswith("_base_ = ")
    assert "conv_cfg" in lines[1]


@by_name
def test_num_segments_is_one_number_everywhere(path: Path):
    cfg = load(path)
    if cfg.model.type != "ClipRecognizer2D":
        return
    numbers = {cfg.model.backbone.num_segments, cfg.model.cls_head.num_segments}
    for split in ("train", "val", "test"):
        numbers |= {s.num_clips for s in cfg[f"{split}_dataloader"].dataset.pipeline if "num_clips" in s}
    assert numbers == {cfg.num_segments}
