"""The learning rate by its formula, through the optimizer and MMEngine's builder."""

import math

import pytest
import torch
from mmaction.registry import PARAM_SCHEDULERS
from torch import nn

from cgc_video.errors import UserError
from cgc_video.translation.schedulers import InverseSqrtLR


def rates(steps: int, groups: list[dict] | None = None, **kwargs) -> list[list[float]]:
    parameters = groups or [{"params": nn.Linear(1, 1).parameters()}]
    optimizer = torch.optim.AdamW(parameters, lr=5e-4)
    scheduler = InverseSqrtLR(optimizer, **kwargs)
    found = []
    for _ in range(steps):
        found.append([group["lr"] for group in optimizer.param_groups])
        optimizer.step()
        scheduler.step()
    return found


def test_values_of_the_protocol():
    found = [rate for (rate,) in rates(16001)]
    assert found[0] == pytest.approx(1e-7)
    assert found[1] - found[0] == pytest.approx((5e-4 - 1e-7) / 4000)
    assert found[2000] == pytest.approx((5e-4 + 1e-7) / 2)
    assert found[4000] == pytest.approx(5e-4)
    assert max(found) == found[4000]
    assert found[16000] == pytest.approx(2.5e-4)
    assert found[9000] == pytest.approx(5e-4 * math.sqrt(4000 / 9000))


def test_a_group_with_a_rate_of_its_own_keeps_its_share():
    groups = [{"params": nn.Linear(1, 1).parameters()}, {"params": nn.Linear(1, 1).parameters(), "lr": 5e-5}]
    for main, tenth in rates(20, groups, warmup=10):
        assert tenth == pytest.approx(0.1 * main)


def test_resumes_where_it_was():
    optimizer = torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=5e-4)
    scheduler = InverseSqrtLR(optimizer, warmup=10)
    for _ in range(25):
        optimizer.step()
        scheduler.step()
    again = InverseSqrtLR(torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=5e-4), warmup=10)
    again.load_state_dict(scheduler.state_dict())
    optimizer.step()
    scheduler.step()
    again.optimizer.step()
    again.step()
    assert again.get_last_value() == scheduler.get_last_value() == [pytest.approx(5e-4 * math.sqrt(10 / 26))]


def test_is_registered_and_refuses_epochs():
    optimizer = torch.optim.AdamW(nn.Linear(1, 1).parameters(), lr=1.0)
    built = PARAM_SCHEDULERS.build(dict(type="InverseSqrtLR", optimizer=optimizer, warmup=4, start_lr=0.5))
    assert built.get_last_value() == [0.5]
    with pytest.raises(UserError, match=r"by_epoch \(True\) must be False"):
        InverseSqrtLR(optimizer, by_epoch=True)
    with pytest.raises(UserError, match=r"warmup \(0\) must be at least 1"):
        InverseSqrtLR(optimizer, warmup=0)
