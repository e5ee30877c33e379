"""What a sample draws depends on its seed alone."""

import copy
import pickle
import random

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, DefaultSampler, RepeatDataset
from torch.utils.data import DataLoader

from cgc_video.datasets.sample_seeds import ResumableSampler, SampleIndex, SeededSamples, seeds_lost


class Plain(BaseDataset):
    """Samples of what each generator draws; those of ``bad`` cannot be made."""

    bad = frozenset()

    def load_data_list(self) -> list[dict]:
        return [{"number": number} for number in range(10)]

    def prepare_data(self, idx: int):
        drawn = random.random(), np.random.rand(), float(torch.rand(()))
        return None if idx in self.bad else (idx, *drawn)

    def get_cat_ids(self, idx: int) -> list[int]:
        return [0]


class Seeded(SeededSamples, Plain):
    pass


class Broken(Seeded):
    bad = frozenset({2, 5})


class KnownToBeBroken(Broken):
    """As a data set that remembers what it could not decode, and draws nothing for it."""

    def prepare_data(self, idx: int):
        return None if idx in self.bad else super().prepare_data(idx)


def samples(dataset, sampler: ResumableSampler, workers: int = 0) -> list:
    loader = DataLoader(dataset, batch_size=2, sampler=sampler, num_workers=workers, collate_fn=list)
    return [sample for batch in loader for sample in batch]


def sampler(dataset, epoch: int = 0, **options) -> ResumableSampler:
    made = ResumableSampler(dataset, seed=7, **options)
    made.set_epoch(epoch)
    return made


def test_an_index_keeps_its_seed():
    index = SampleIndex(12, (1, 2, 3))
    assert index == 12
    for other in (index % 10, index - 10, pickle.loads(pickle.dumps(index)), copy.deepcopy(index)):
        assert other.seed == (1, 2, 3)
    assert (index % 10, index - 10) == (2, 2)


def test_the_order_is_mmengines():
    dataset = Seeded(lazy_init=True)
    dataset.full_init()
    theirs = DefaultSampler(dataset, seed=7)
    theirs.set_epoch(3)
    assert list(sampler(dataset, 3)) == list(theirs)


def test_no_two_samples_have_one_seed():
    dataset = Seeded()
    seeds = [index.seed for epoch in range(3) for index in sampler(dataset, epoch)]
    assert len(set(seeds)) == 30


def test_workers_and_what_was_skipped_change_no_sample():
    dataset = Seeded()
    whole = samples(dataset, sampler(dataset))
    assert len({sample[1:] for sample in whole}) == 10
    assert samples(dataset, sampler(dataset), workers=2) == whole
    resumed = sampler(dataset)
    resumed.skip(6)
    assert samples(dataset, resumed) == whole[6:]
    assert samples(dataset, resumed) == whole  # the next epoch is whole again
    assert samples(dataset, sampler(dataset, 1)) != whole


def test_the_process_draws_what_it_would_without():
    dataset, states = Seeded(), []
    for _ in range(2):
        random.seed(1), np.random.seed(1), torch.manual_seed(1)
        states.append((random.random(), np.random.rand(), float(torch.rand(()))))
        random.seed(1), np.random.seed(1), torch.manual_seed(1)
        samples(dataset, sampler(dataset))
        states.append((random.random(), np.random.rand()))
    assert states[1] == states[0][:2]


def test_the_stand_in_of_a_bad_sample_does_not_depend_on_whether_it_is_known():
    found = [samples(dataset, sampler(dataset)) for dataset in (Broken(), KnownToBeBroken())]
    assert found[0] == found[1]
    assert {sample[0] for sample in found[0]}.isdisjoint({2, 5})


@pytest.mark.parametrize(
    "wrap", [lambda d: RepeatDataset(d, 3), lambda d: ConcatDataset([d, d])], ids=["repeat", "concat"]
)
def test_wrappers_keep_seeds(wrap):
    dataset = wrap(Seeded())
    assert samples(dataset, sampler(dataset)) == samples(dataset, sampler(dataset))
    assert seeds_lost(dataset) is None


def test_data_sets_that_lose_seeds_are_named():
    assert seeds_lost(Seeded()) is None
    assert seeds_lost(Plain()) == "Plain"
    assert seeds_lost(RepeatDataset(Plain(), 2)) == "Plain"
    assert seeds_lost(ClassBalancedDataset(Seeded(), 1e-3)) == "ClassBalancedDataset"


def test_two_processes_share_the_samples_of_one():
    dataset = Seeded()
    parts = []
    for rank in range(2):
        part = sampler(dataset)
        part.rank, part.world_size, part.num_samples = rank, 2, 5
        parts.append(samples(dataset, part))
    assert sorted(parts[0] + parts[1]) == sorted(samples(dataset, sampler(dataset)))
