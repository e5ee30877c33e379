"""Train with 5 % of the files broken, each in another way, one of them only after the first epoch: ``tools/train.py`` as it is, no options."""

import io
import shutil
from pathlib import Path

import av
import pytest

BROKEN = ("truncated", "empty", "text", "wrong_codec", "zero_frames", "vanishing")


def _without_frames() -> bytes:
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        container.start_encoding()
    return buffer.getvalue()


@pytest.fixture
def broken(mini_data, tmp_path) -> dict[str, Path]:
    """Break 6 of the 120 training files in a copy of the data, which is left where the config looks for it; returns them by their fault."""
    root = tmp_path / "data" / "mini_sth"
    shutil.copytree(mini_data, root)
    names = [line.rsplit(maxsplit=1)[0] for line in (root / "train_list.txt").read_text().splitlines()]
    paths = {fault: root / "videos" / names[20 * number] for number, fault in enumerate(BROKEN)}
    data = paths["truncated"].read_bytes()
    paths["truncated"].write_bytes(data[: 2 * len(data) // 3])
    paths["empty"].write_bytes(b"")
    paths["text"].write_text("this is no video\n" * 40)
    assert b"avc1" in data
    paths["wrong_codec"].write_bytes(data.replace(b"avc1", b"zzz1"))
    paths["zero_frames"].write_bytes(_without_frames())
    return paths


@pytest.fixture
def argv(repository) -> list[str]:
    options = ["train_cfg.max_epochs=3", "train_dataloader.num_workers=2", "default_hooks.logger.interval=1"]
    config = str(repository / "configs" / "tsm_r18_cgc_mini.py")
    return [config, "--no-validate", "--work-dir", "out", "--cfg-options", *options]


def check(run, broken: dict[str, Path], epochs: int, figure) -> None:
    """The vanishing file goes after the first epoch; in the end each file is named once, in the log and in the report."""
    run.wait_for("Epoch(train) [1][", 300)
    run.wait_until(lambda: Path(run.out.parent, "out", "epoch_1.pth").is_file(), 300, "first checkpoint")
    broken["vanishing"].unlink()
    assert run.end(seconds=600) == 0, run.error[-2000:]
    (log,) = run.out.parent.glob("out/*/*.log")
    lines = [line for line in log.read_text().splitlines() if " cannot be decoded: " in line]
    rows = [line.split("\t") for line in (run.out.parent / "out" / "bad_files.txt").read_text().splitlines()[1:]]
    assert len(lines) == len(rows) == len(BROKEN), lines
    for fault, path in broken.items():
        assert sum(str(Path(path.parent.name, path.name)) in line for line in lines) == 1, fault
        ((count, _, reason),) = [row for row in rows if Path(row[1]).name == path.name]
        assert reason, fault
        least = epochs if fault != "vanishing" else 1
        assert int(count) >= least - 1, (fault, count)
    assert "6 of 120 files could not be decoded and were replaced by other samples, " in log.read_text()
    assert run.left() == set()
    figure(f"{len(BROKEN)} of 120 files broken ({', '.join(BROKEN).replace('_', ' ')}): finished, each named once")


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_training_finishes_and_names_each_file_once(start, argv, broken, figure):
    check(start("tools/train.py", *argv), broken, epochs=3, figure=figure)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_two_processes_name_each_file_once(start, argv, broken, repository, figure):
    launcher = ["-m", "torch.distributed.run", "--nproc_per_node=2", "--master_port=0", "--standalone"]
    run = start(*launcher, str(repository / "tools" / "train.py"), *argv[:1], "--launcher", "pytorch", *argv[1:])
    check(run, broken, epochs=3, figure=figure)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_it_stops_above_the_share(start, argv, broken, figure):
    run = start("tools/train.py", *argv, "train_dataloader.dataset.max_bad_share=0.03")
    assert run.end(seconds=300) == 2
    (line,) = [line for line in run.error.splitlines() if line.startswith("error: ")]
    assert line.startswith("error: 4 of 120 files (3.3%) cannot be decoded, more than max_bad_share (3.0%) allows: ")
    assert "Traceback" not in run.error
    assert run.left() == set()
    figure("4 of 120 files broken, 3 % allowed: stopped with one sentence")
