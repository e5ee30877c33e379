"""Which keys differ."""

import pytest
import torch

from cgc_video.errors import UserError
from cgc_video.models.checkpoints import compare_state, weights_of


def test_all_keys_are_listed_and_the_first_are_named():
    expected = {f"new.{index}": torch.ones(1) for index in range(12)} | {"same": torch.ones(2), "shape": torch.ones(3)}
    given = {"same": torch.ones(2), "shape": torch.ones(4), "old": torch.ones(1)}
    match = compare_state(expected, given)
    assert not match.complete
    assert match.abridged
    assert str(match).startswith("1 entries match, 12 missing (new.0, new.1,")
    assert "and 4 more), 1 unexpected (old), 1 mismatched (shape (4,) for (3,))" in str(match)
    lines = match.listing().splitlines()
    assert lines[0] == "12 only in the model:"
    assert lines[12:] == [
        "  new.11",
        "1 only in the checkpoint:",
        "  old",
        "1 of another shape:",
        "  shape (4,) for (3,)",
    ]


def test_equal_states_differ_in_nothing():
    match = compare_state({"a": torch.ones(1)}, {"a": torch.zeros(1), "bn.num_batches_tracked": torch.ones(())})
    assert match.complete
    assert not match.abridged
    assert match.listing() == ""


@pytest.mark.parametrize("wrap", [lambda s: s, lambda s: {"state_dict": s}, lambda s: {"model": s}])
def test_weights_of_the_usual_containers(wrap):
    assert list(weights_of(wrap({"module.a": torch.ones(1), "epoch": 3}), "x.pth")) == ["a"]


def test_no_weights():
    with pytest.raises(UserError, match=r"checkpoint \(x.pth\) holds no weights"):
        weights_of({"epoch": 1}, "x.pth")
