"""The loss guard around real runners: what it stops, what it leaves out, and that ranks agree."""

import json
import math
import os
import re
import socket
import uuid
from pathlib import Path

import pytest
import torch
from mmengine.model import BaseModel
from mmengine.optim import AmpOptimWrapper, OptimWrapper
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import nn

from cgc_video.engine.guards import LossGuardHook
from cgc_video.engine.runner import VideoRunner
from cgc_video.errors import UserError

STEEP = 7.0  # where the gradient has no value, though the loss has


class Net(BaseModel):
    """A norm with statistics and a layer of three weights."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.linear = nn.BatchNorm1d(3), nn.Linear(3, 1)

    def forward(self, inputs, data_samples=None, mode="loss"):
        x = torch.stack(inputs) if isinstance(inputs, list) else inputs
        loss = self.linear(self.norm(x)).float().square().mean() + x[:, 0].mean() * self.linear.weight.sum()
        if (x == STEEP).any():
            loss = loss + (0 * self.linear.weight.sum()).sqrt()
        return {"loss": loss}


class Data(torch.utils.data.Dataset):
    """Sample ``i`` holds ``i + 1``, but for those of ``special``."""

    def __init__(self, length: int, special: dict[int, float], keep: tuple[int, ...] | None) -> None:
        self.length, self.special = length, special
        self.order = list(range(length)) if keep is None else [i for batch in keep for i in (2 * batch, 2 * batch + 1)]

    def __len__(self) -> int:
        return len(self.order)

    def __getitem__(self, idx: int) -> dict:
        idx = self.order[idx]
        value = self.special.get(idx, (idx + 1) / 10)
        sample = BaseDataElement(metainfo={"source_file": f"clip{idx}.mp4"})
        return {"inputs": torch.tensor([value, 0.5, -value]), "data_samples": sample}


def run(
    folder: Path,
    special: dict[int, float],
    wrapper=None,
    epochs: int = 1,
    length: int = 12,
    batch_size: int = 2,
    keep: tuple[int, ...] | None = None,
    launcher: str = "none",
    save: bool = False,
    resume: bool = False,
    **options,
) -> Runner:
    """Train with a guard of these options; ``keep`` names the batches of two that there are."""
    torch.manual_seed(0)
    model = Net()
    if wrapper is None:
        wrapper = {"type": "OptimWrapper", "optimizer": {"type": "SGD", "lr": 0.01, "momentum": 0.9}}
    kind = VideoRunner if launcher == "pytorch" else Runner
    runner = kind(
        model,
        str(folder),
        train_dataloader={
            "batch_size": batch_size,
            "num_workers": 0,
            "dataset": Data(length, special, keep),
            "sampler": {"type": "DefaultSampler", "shuffle": False},
            "collate_fn": {"type": "pseudo_collate"},
        },
        train_cfg={"by_epoch": True, "max_epochs": epochs},
        optim_wrapper=wrapper(model) if callable(wrapper) else wrapper,
        custom_hooks=[LossGuardHook(**options)],
        default_hooks={
            "checkpoint": {"type": "CheckpointHook"} if save else None,
            "logger": {"type": "LoggerHook", "interval": 1},
        },
        resume=resume,
        experiment_name=uuid.uuid4().hex,
        launcher=launcher,
        default_scope="mmengine",
    )
    runner.train()
    return runner


def state(runner: Runner) -> dict:
    return {
        **runner.model.state_dict(),
        **{i: s["momentum_buffer"] for i, s in runner.optim_wrapper.state_dict()["state"].items()},
    }


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_stops_with_iteration_names_and_rate(tmp_path, value):
    with pytest.raises(UserError) as caught:
        run(tmp_path, {5: value})
    message = str(caught.value)
    assert message.startswith(
        "iteration 3 (epoch 1): the loss is nan, at a learning rate of 0.01; its batch: clip4.mp4, clip5.mp4; lower "
    )
    assert "action='skip'" in message


def test_a_large_loss_has_exploded(tmp_path):
    with pytest.raises(UserError, match=r"iteration 2 \(epoch 1\): the loss is \S+, beyond max_loss \(50\)"):
        run(tmp_path / "a", {2: 3e3}, max_loss=50)
    run(tmp_path / "b", {2: 3e3}, max_loss=None)


def test_finite_loss_with_gradients_that_are_not(tmp_path):
    with pytest.raises(UserError) as caught:
        run(tmp_path, {4: STEEP})
    pattern = r"iteration 3 \(epoch 1\): the loss is -?[\d.]+, but the norm of its gradients is nan, at .* clip4.mp4, clip5.mp4;"
    assert re.match(pattern, str(caught.value))


def test_skipping_leaves_everything_as_it_was(tmp_path):
    """A run that skips the bad batch equals one that never saw it, to the bit: weights, momentum, statistics of norms."""
    runner = run(tmp_path / "bad", {5: math.nan, 8: 1e9, 10: STEEP}, action="skip")
    same = run(tmp_path / "good", {}, length=12, keep=(0, 1, 3))
    for key, value in state(same).items():
        torch.testing.assert_close(state(runner)[key], value, rtol=0, atol=0)
    assert runner.message_hub.get_info("skipped_steps") == 3
    losses = runner.message_hub.get_scalar("train/loss").data[0]
    assert len(losses) == 3
    assert all(map(math.isfinite, losses))
    log = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    assert log.count("Step skipped: iteration ") == 3
    assert "3 skipped, since their loss or gradients were bad" in log
    (record,) = Path(runner.log_dir).glob("bad_steps.jsonl")
    assert [json.loads(line)["iteration"] for line in record.read_text().splitlines()] == [3, 5, 6]


def test_skipping_has_an_end(tmp_path):
    with pytest.raises(
        UserError, match=r"iteration 5 .* these are 4 bad steps in a row, so lower the learning rate\.$"
    ):
        run(tmp_path, dict.fromkeys(range(2, 12), math.nan), action="skip", max_in_a_row=4)


def test_accumulated_gradients_are_judged_as_one_step(tmp_path):
    wrapper = {"type": "OptimWrapper", "accumulative_counts": 3, "optimizer": {"type": "SGD", "lr": 0.01}}
    with pytest.raises(UserError, match=r"iteration 3 .*: the loss is nan, .* its batch: clip2.mp4, clip3.mp4; "):
        run(tmp_path / "stop", {2: math.nan}, dict(wrapper))
    runner = run(tmp_path / "skip", {2: math.nan}, dict(wrapper), action="skip")
    same = run(tmp_path / "good", {}, dict(wrapper), keep=(3, 4, 5))
    for key, value in state(same).items():
        torch.testing.assert_close(state(runner)[key], value, rtol=0, atol=0)


def test_clipping_sees_nothing_of_it(tmp_path):
    wrapper = {"type": "OptimWrapper", "clip_grad": {"max_norm": 1.0}, "optimizer": {"type": "SGD", "lr": 0.01}}
    runner = run(tmp_path, {4: STEEP}, wrapper, action="skip")
    assert all(value.isfinite().all() for value in state(runner).values())


def test_a_long_batch_is_named_in_part_and_recorded_whole(tmp_path):
    with pytest.raises(UserError, match=r"clip15.mp4 and 4 more \(all in .*bad_steps.jsonl\); ") as caught:
        run(tmp_path, {3: math.nan}, length=20, batch_size=20)
    assert "clip16.mp4" not in str(caught.value)
    (record,) = tmp_path.glob("*/bad_steps.jsonl")
    assert json.loads(record.read_text())["batch"] == [f"clip{n}.mp4" for n in range(20)]


@pytest.mark.parametrize("options", [{"action": "ignore"}, {"max_loss": 0}, {"max_in_a_row": 0}])
def test_options_are_checked(options):
    with pytest.raises(UserError, match=f"LossGuardHook: {next(iter(options))} "):
        LossGuardHook(**options)


class CpuAmp(AmpOptimWrapper):
    """Mixed precision on a machine without a GPU: MMEngine's wrapper insists on one, torch's scaler does not."""

    def __init__(self, optimizer, scale: float) -> None:
        OptimWrapper.__init__(self, optimizer)
        self.cast_dtype, self._scale_update_param = torch.bfloat16, None
        self.loss_scaler = torch.amp.GradScaler("cpu", init_scale=scale)


@pytest.mark.skipif(not hasattr(torch.amp, "GradScaler"), reason="torch before 2.3 has no scaler for the CPU")
def test_overflows_of_mixed_precision_are_counted(tmp_path):
    """float32 gradients overflow where the scale is near float32's end; the scaler halves it until they do not."""

    def wrapper(model):
        return CpuAmp(torch.optim.SGD(model.parameters(), lr=1e-4), scale=2.0**127)

    large = {number: 20.0 + number for number in range(12)}
    runner = run(tmp_path, large, wrapper, epochs=4)
    overflows = runner.message_hub.get_info("overflow_steps")
    assert 3 < overflows < 10
    assert runner.optim_wrapper.loss_scaler.get_scale() == 2.0 ** (127 - overflows)
    log = (Path(runner.log_dir) / f"{runner.timestamp}.log").read_text()
    assert f"Steps of 24 iterations: {overflows} left out by mixed precision" in log
    assert f"overflow_steps: {overflows} " in log
    with pytest.raises(UserError, match="gradients overflowed in 2 steps in a row, at a scale of "):
        run(tmp_path, large, wrapper, max_in_a_row=2)
    with pytest.raises(UserError, match="iteration 2 .*: the loss is nan"):
        run(tmp_path, large | {3: math.nan}, wrapper)


def test_counts_go_on_after_a_resume(tmp_path):
    run(tmp_path, {5: math.nan}, action="skip", save=True)
    runner = run(tmp_path, {5: math.nan}, action="skip", save=True, epochs=2, resume=True)
    assert runner.message_hub.get_info("skipped_steps") == 2


def _rank(rank: int, folder: str, port: int, action: str, results) -> None:
    os.environ |= {"RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    try:
        # samples are dealt in turn: 5 is in the second batch of rank 1
        runner = run(Path(folder), {5: math.nan}, action=action, launcher="pytorch")
        results.put((rank, {key: value.tolist() for key, value in runner.model.module.state_dict().items()}))
    except UserError as error:
        results.put((rank, str(error)))


@pytest.mark.parametrize("action", ["stop", "skip"])
def test_two_processes_agree(tmp_path, action):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    context = torch.multiprocessing.get_context("fork")
    results = context.Queue()
    ranks = [context.Process(target=_rank, args=(rank, str(tmp_path), port, action, results)) for rank in (0, 1)]
    for process in ranks:
        process.start()
    found = dict(results.get(timeout=60) for _ in ranks)
    for process in ranks:
        process.join(30)
        assert process.exitcode == 0
    if action == "stop":
        assert found[0] == found[1]
        what = "the loss is nan, at a learning rate of 0.01"
        assert found[0].startswith(f"iteration 2 (epoch 1): {what}; its batch: clip5.mp4, clip7.mp4; ")
    else:
        weights = [{k: v for k, v in found[rank].items() if k.startswith("linear")} for rank in (0, 1)]
        assert weights[0] == weights[1]
        assert all(math.isfinite(value) for value in weights[0]["linear.weight"][0])
        assert all(math.isfinite(value) for rank in (0, 1) for value in found[rank]["norm.running_mean"])
