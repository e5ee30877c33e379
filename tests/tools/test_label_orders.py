"""One checkpoint, two label orders: testing, starting from it, resuming it and predicting give each class its own name."""

import pickle
import shutil

import pytest
import torch

from tools.test import main as run_test
from tools.train import main as run_train

NAMES = ["Going left", "Going right", "Standing still"]  # as in conftest
OTHER = ["Standing still", "Going left", "Going right"]
ORDER = [NAMES.index(name) for name in OTHER]


@pytest.fixture
def checkpoint(tiny_config, random_weights) -> str:
    """It has the names of the tiny data."""
    return random_weights(tiny_config(), dataset_meta={"classes": NAMES})


@pytest.fixture
def other_config(tiny_data, tiny_config, tmp_path):
    """The tiny config over the same clips, whose lists number the classes as ``names`` does."""

    def write(names: list[str]) -> str:
        folder = tmp_path / "_".join(name.split()[-1] for name in names)
        folder.mkdir()
        shutil.copytree(tiny_data / "videos", folder / "videos")
        rows = [line.split() for line in (tiny_data / "list.txt").read_text().splitlines()]
        labels = [names.index(NAMES[int(label)]) if NAMES[int(label)] in names else 0 for _, label in rows]
        (folder / "list.txt").write_text(
            "".join(f"{row[0]} {label}\n" for row, label in zip(rows, labels, strict=True))
        )
        (folder / "classes.txt").write_text("".join(f"{name}\n" for name in names))
        return tiny_config(("DATA/", f"{folder.as_posix()}/"), name=folder.name)

    return write


def scores(config: str, checkpoint: str, dump: str) -> torch.Tensor:
    assert run_test([config, checkpoint, "--work-dir", "out", "--dump", dump]) == 0
    with open(dump, "rb") as file:
        return torch.stack([result["pred_score"] for result in pickle.load(file)])


def test_a_test_gives_each_class_the_same_score(checkpoint, tiny_config, other_config, capsys):
    own = scores(tiny_config(), checkpoint, "own.pkl")
    assert "permuted" not in capsys.readouterr().out
    assert own.std() > 0.01
    other = scores(other_config(OTHER), checkpoint, "other.pkl")
    torch.testing.assert_close(other, own[:, ORDER])
    assert "the classifier's rows were permuted by class name (3 of 3 labels changed)" in capsys.readouterr().out


def head(path: str) -> tuple[torch.Tensor, list[str]]:
    content = torch.load(path, weights_only=True)
    return content["state_dict"]["cls_head.fc_cls.weight"], content["meta"]["dataset_meta"]["classes"]


def test_training_starts_and_goes_on_in_the_order_of_its_data(checkpoint, tiny_config, other_config, capsys):
    still = ["optim_wrapper.optimizer.lr=0", "optim_wrapper.optimizer.weight_decay=0"]
    common = ["--no-validate", "--cfg-options", *still]
    assert run_train([other_config(OTHER), "--work-dir", "b", *common, f"load_from={checkpoint}"]) == 0
    assert "permuted by class name" in capsys.readouterr().out
    weight, names = head("b/epoch_1.pth")
    torch.testing.assert_close(weight, head(checkpoint)[0][ORDER])
    assert names == OTHER

    resumed = ["--work-dir", "a", "--resume", "b/epoch_1.pth", *common, "train_cfg.max_epochs=2"]
    assert run_train([tiny_config(), *resumed]) == 0
    assert "permuted by class name" in capsys.readouterr().out
    weight, names = head("a/epoch_2.pth")
    torch.testing.assert_close(weight, head(checkpoint)[0])
    assert names == NAMES


def test_other_classes_are_refused_in_one_sentence(checkpoint, other_config, capsys):
    config = other_config(["Going left", "Going right", "Jumping"])
    runs = (
        (run_test, [config, checkpoint]),
        (run_train, [config, "--cfg-options", f"load_from={checkpoint}"]),
    )
    for main, argv in runs:
        assert main(argv) == 2
        message = capsys.readouterr().err.splitlines()[-1]
        assert "1 of its classes are not in the data ('Standing still'); 1 of the data's classes" in message
        assert "('Jumping')" in message


def test_a_prediction_is_named_by_the_checkpoint(checkpoint, tiny_config, other_config, tiny_data):
    from cgc_video.apis import load_recognizer, predict

    video = str(tiny_data / "videos" / "0.mp4")
    found = [
        {p.name: p.probability for p in predict(load_recognizer(config, checkpoint), video)}
        for config in (tiny_config(), other_config(OTHER))
    ]
    assert found[0] == pytest.approx(found[1])
