"""Token batches: every sentence once, the limit, one order per seed and epoch, resuming, several processes, padding."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmengine.dataset import DefaultSampler

from cgc_video.errors import UserError
from cgc_video.translation.batches import TokenBatchSampler, collate_pairs, collate_tags, length_buckets


class Lengths:
    """A data set of sentences of random lengths."""

    def __init__(self, sentences: int = 500) -> None:
        self.lengths = np.random.default_rng(0).integers(2, 60, (sentences, 2))

    def __len__(self) -> int:
        return len(self.lengths)


def sampler(shuffle=True, seed=1, epoch=0, rank=0, world_size=1, data=None, **kwargs) -> TokenBatchSampler:
    base = DefaultSampler(data or Lengths(), shuffle=shuffle, seed=seed)
    base.rank, base.world_size = rank, world_size
    base.set_epoch(epoch)
    return TokenBatchSampler(base, **{"max_tokens": 400, **kwargs})


@pytest.mark.parametrize("shuffle", [True, False])
def test_every_sentence_exactly_once_within_the_limit(shuffle):
    batches = list(sampler(shuffle))
    assert sorted(index for batch in batches for index in batch) == list(range(500))
    assert len(batches) == len(sampler(shuffle))
    lengths = Lengths().lengths
    for batch in batches:
        assert (len(batch) * lengths[batch].max(axis=0) <= 400).all()


def test_batches_hold_sentences_of_like_length():
    lengths = Lengths().lengths
    padded = sum(len(batch) * int(lengths[batch][:, 1].max()) for batch in sampler())
    assert padded < 1.1 * lengths[:, 1].sum()  # in random order: about 1.8


def test_a_limit_on_sentences():
    assert max(map(len, sampler(batch_size=3))) == 3
    assert sorted(sum(sampler(batch_size=3), [])) == list(range(500))


def test_order_depends_on_seed_and_epoch_alone():
    first = list(sampler(epoch=3))
    assert first == list(sampler(epoch=3))
    assert first != list(sampler(epoch=4))
    assert sorted(map(sorted, first)) == sorted(map(sorted, sampler(epoch=4)))  # the same batches
    assert first != list(sampler(epoch=3, seed=2))
    straight = sampler(shuffle=False)
    straight.sampler.set_epoch(5)
    assert list(straight) == list(sampler(shuffle=False, seed=2))


def test_a_resumed_epoch_goes_on_behind_what_was_dealt():
    whole, rest = list(sampler(epoch=2)), sampler(epoch=2)
    rest.skip(10)
    assert list(rest) == whole[10:]
    assert list(rest) == whole  # the next epoch is whole again


@pytest.mark.parametrize("world_size", [2, 3, 7])
def test_processes_get_equally_many_batches_and_together_all_sentences(world_size):
    dealt = [list(sampler(rank=rank, world_size=world_size)) for rank in range(world_size)]
    assert len(set(map(len, dealt))) == 1
    assert len(dealt[0]) == len(sampler(rank=0, world_size=world_size))
    assert {index for batches in dealt for batch in batches for index in batch} == set(range(500))
    batches = sum(map(len, dealt))
    assert len(sampler()) <= batches < len(sampler()) + world_size


@pytest.mark.parametrize("world_size", [2, 3])
def test_in_a_test_processes_share_the_sentences_without_repeats(world_size):
    dealt = [sum(sampler(shuffle=False, rank=rank, world_size=world_size), []) for rank in range(world_size)]
    assert sorted(sum(dealt, [])) == list(range(500))


def test_a_sentence_over_the_limit_is_named():
    with pytest.raises(UserError, match=r"sentence 2 has 9 tokens, more than max_tokens \(8\) of a batch"):
        length_buckets(np.array([[1, 2], [9, 3]]), max_tokens=8)


def test_a_data_set_without_lengths():
    with pytest.raises(UserError, match="needs the lengths of the sentences, which list does not tell"):
        TokenBatchSampler(SimpleNamespace(dataset=[], shuffle=True, seed=0))


def pair(source, target, index=0):
    return {"source": np.array(source), "target": np.array(target), "reference": "r", "index": index}


def test_pairs_are_padded_on_the_right_and_the_decoder_starts_with_the_end():
    batch = collate_pairs([pair([5, 6, 2], [7, 2]), pair([5, 2], [8, 9, 2], index=4)])
    assert batch["source"].tolist() == [[5, 6, 2], [5, 2, 1]]
    assert batch["target_input"].tolist() == [[2, 7, 1], [2, 8, 9]]
    assert batch["target"].tolist() == [[7, 2, 1], [8, 9, 2]]
    assert batch["source"].dtype == batch["target"].dtype == torch.int64
    assert [sample.index for sample in batch["data_samples"]] == [0, 4]
    assert batch["data_samples"][0].reference == "r"


def test_tags_are_padded_with_what_is_not_scored():
    batch = collate_tags([pair([5, 6], [1, -100]), pair([5], [0])])
    assert batch["source"].tolist() == [[5, 6], [5, 1]]
    assert batch["target"].tolist() == [[1, -100], [0, -100]]
    assert batch["data_samples"][0].gt_tags.tolist() == [1, -100]
