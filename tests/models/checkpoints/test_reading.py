"""Damage is found and named, and nothing in a checkpoint is run."""

import io
import os
import pickle
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer

from cgc_video.errors import UserError
from cgc_video.models.checkpoints import DamagedCheckpoint, read_checkpoint, read_pickle
from cgc_video.models.checkpoints.unpickling import pickle_module


def content() -> dict:
    """The kinds of things that a checkpoint of a training holds."""
    generator = torch.Generator().manual_seed(3)
    return {
        "meta": {"epoch": 3, "iter": 30, "seed": np.int64(4), "dataset_meta": {"classes": ["a", "b"]}},
        "state_dict": {f"layer{i}.weight": torch.randn(40, 30, generator=generator) for i in range(3)},
        "message_hub": {"log_scalars": {"loss": HistoryBuffer([1.0, 2.0], [1, 1])}},
    }


@pytest.fixture
def saved(tmp_path) -> Path:
    torch.save(content(), tmp_path / "epoch_3.pth")
    return tmp_path / "epoch_3.pth"


class Payload:
    """Would touch a file if it were unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)

    def __reduce__(self):
        return os.mkdir, (self.path,)


class Harmless:
    """A type that runs nothing, and is none of ours."""


def same(first: dict, second: dict) -> bool:
    weights = first["state_dict"], second["state_dict"]
    return all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0]) and first["meta"] == second["meta"]


def test_what_mmengine_saves_is_read(saved):
    found = read_checkpoint(saved)
    assert same(found, content())
    assert found["message_hub"]["log_scalars"]["loss"].mean() == 1.5


def test_a_file_without_check_sums_is_read(tmp_path):
    torch.save({"state_dict": {"a": torch.ones(2)}}, tmp_path / "old.pth", _use_new_zipfile_serialization=False)
    assert read_checkpoint(tmp_path / "old.pth")["state_dict"]["a"].tolist() == [1, 1]


def test_every_flipped_bit_is_found_or_changes_nothing(saved):
    whole, chance = saved.read_bytes(), random.Random(0)
    messages = []
    for _ in range(300):
        broken, position = bytearray(whole), chance.randrange(len(whole))
        broken[position] ^= 1 << chance.randrange(8)
        saved.write_bytes(broken)
        try:
            assert same(read_checkpoint(saved), content()), position
        except DamagedCheckpoint as error:
            messages.append(str(error))
    assert all(message.startswith(f"checkpoint ({saved}) is damaged: ") for message in messages)
    assert len(messages) > 200  # what lies between the records changes nothing


def test_a_bit_inside_a_tensor(saved):
    whole = bytearray(saved.read_bytes())
    place = whole.find(content()["state_dict"]["layer1.weight"].numpy().tobytes())
    whole[place + 100] ^= 1
    saved.write_bytes(whole)
    torch.load(saved, weights_only=True)  # torch itself does not see it
    with pytest.raises(
        DamagedCheckpoint, match=r"epoch_3.pth\) is damaged: \S+data/1 has another check sum than when it was"
    ):
        read_checkpoint(saved)


@pytest.mark.parametrize("share", [0, 0.001, 0.3, 0.7, 0.999])
def test_a_file_that_is_cut_off(saved, share: float):
    saved.write_bytes(saved.read_bytes()[: int(share * saved.stat().st_size)])
    with pytest.raises(UserError, match=r"epoch_3.pth\) is damaged: it is (empty|cut off)") as raised:
        read_checkpoint(saved)
    assert "delete it, or copy it again" in str(raised.value)
    torch.save(content(), saved.with_name("epoch_2.pth"))
    with pytest.raises(DamagedCheckpoint, match="delete it, or copy it again"):  # it may be of another model
        read_checkpoint(saved)
    saved.with_name("last_checkpoint").write_text(str(saved))  # as in a work dir
    with pytest.raises(DamagedCheckpoint, match=r"; take \S+epoch_2.pth, or delete it\.$"):
        read_checkpoint(saved)


def test_no_checkpoint_at_all(tmp_path):
    with pytest.raises(UserError, match="none.pth. does not exist"):
        read_checkpoint(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("weights")
    with pytest.raises(UserError, match=r"text.pth\) is no checkpoint"):
        read_checkpoint(tmp_path / "text.pth")


def test_a_plain_pickle_is_refused_in_one_sentence(tmp_path, recwarn):
    """Of Python's own protocol, about which torch warns before it refuses."""
    (tmp_path / "plain.pth").write_bytes(pickle.dumps({"x": Payload(tmp_path / "ran")}))
    with pytest.raises(UserError, match=r"plain.pth\)"):
        read_checkpoint(tmp_path / "plain.pth")
    assert not list(recwarn)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize("zipped", [True, False])
def test_code_in_a_checkpoint_is_not_run(tmp_path, zipped: bool):
    path = tmp_path / "evil.pth"
    torch.save({"state_dict": {}, "x": Payload(tmp_path / "ran")}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        UserError, match=r"holds posix.mkdir, which is no type of data and could run code: it was not loaded"
    ) as raised:
        read_checkpoint(path)
    assert "if you trust where it is from, save its weights alone" in str(raised.value)
    assert not (tmp_path / "ran").exists()


def test_a_type_that_is_not_known_is_named(tmp_path):
    torch.save({"x": Harmless()}, tmp_path / "foreign.pth")
    with pytest.raises(UserError, match=r"holds \S*Harmless, which is no type of data"):
        read_checkpoint(tmp_path / "foreign.pth")


class TestUnpickler:
    """For pickle files, and for checkpoints under a torch whose own unpickler cannot be told of more types."""

    def test_a_checkpoint(self, saved):
        found = torch.load(saved, weights_only=False, pickle_module=pickle_module())
        assert same(found, content())
        assert found["message_hub"]["log_scalars"]["loss"].mean() == 1.5

    def test_code_in_a_checkpoint(self, tmp_path):
        torch.save({"x": Payload(tmp_path / "ran")}, tmp_path / "evil.pth")
        with pytest.raises(pickle.UnpicklingError, match="posix.mkdir"):
            torch.load(tmp_path / "evil.pth", weights_only=False, pickle_module=pickle_module())
        assert not (tmp_path / "ran").exists()

    def test_results_as_dumps_hold_them(self):
        results = [
            {"pred_score": torch.tensor([0.25, 0.75]), "gt_label": torch.tensor([1]), "metainfo": {"a": np.arange(3)}}
        ]
        found = read_pickle(io.BytesIO(pickle.dumps(results)), "results.pkl")
        assert torch.equal(found[0]["pred_score"], results[0]["pred_score"])
        assert found[0]["metainfo"]["a"].tolist() == [0, 1, 2]

    def test_code_in_results(self, tmp_path):
        with pytest.raises(
            UserError, match="^results.pkl holds posix.mkdir, which is no type of data and could run code"
        ):
            read_pickle(io.BytesIO(pickle.dumps([Payload(tmp_path / "ran")])), "results.pkl")
        assert not (tmp_path / "ran").exists()

    def test_code_inside_a_tensor_of_results(self, tmp_path):
        """A tensor's bytes are a file of torch's own, which its default would unpickle without restriction."""
        inner = io.BytesIO()
        torch.save(Payload(tmp_path / "ran"), inner)

        class Smuggler:
            def __reduce__(self):
                return torch.storage._load_from_bytes, (inner.getvalue(),)

        with pytest.raises(UserError, match="posix.mkdir"):
            read_pickle(io.BytesIO(pickle.dumps(Smuggler())), "results.pkl")
        assert not (tmp_path / "ran").exists()

    def test_no_pickle(self):
        with pytest.raises(UserError, match="results.pkl is no pickle, or damaged"):
            read_pickle(io.BytesIO(b"results"), "results.pkl")
