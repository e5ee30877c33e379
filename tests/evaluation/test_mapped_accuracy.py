"""``MappedAccuracy``: a prediction is right if it maps to the class."""

import pytest
import torch
from mmaction.structures import ActionDataSample
from mmengine.evaluator import Evaluator

from cgc_video.datasets.faults import COUNTED_WRONG
from cgc_video.errors import UserError
from cgc_video.evaluation import MappedAccuracy, ScoredClips

MAP = [[0, 3], [4]]  # of ten outputs; 1, 2 and 5 to 9 are of no class


def sample(label: int, ranking: list[int], **metainfo) -> ActionDataSample:
    """A sample whose best outputs are ``ranking``, in this order."""
    scores = torch.zeros(10)
    scores[ranking] = torch.linspace(1, 0.5, len(ranking))
    return ActionDataSample(metainfo=metainfo).set_gt_label(label).set_pred_score(scores)


def evaluate(samples: list[ActionDataSample], evaluator: Evaluator | None = None) -> dict:
    evaluator = evaluator or Evaluator(MappedAccuracy())
    evaluator.dataset_meta = {"class_map": MAP}
    evaluator.process(samples)
    return evaluator.evaluate(len(samples))


def test_any_output_of_the_class_is_right():
    samples = [
        sample(0, [3, 1, 2, 5, 6]),  # right
        sample(0, [0, 1, 2, 5, 6]),  # right
        sample(0, [4, 1, 2, 3, 6]),  # the other class; fourth is right
        sample(0, [7, 1, 2, 5, 6, 0]),  # an output of no class, and the sixth is right
        sample(1, [8, 4, 1, 2, 5]),  # second
    ]
    metrics = evaluate(samples)
    assert metrics["acc/top1"] == pytest.approx(2 / 5)
    assert metrics["acc/top5"] == pytest.approx(4 / 5)
    assert metrics["acc/mean1"] == pytest.approx((2 / 4 + 0) / 2)
    assert set(evaluate(samples, Evaluator(MappedAccuracy(topk=(3,))))) == {"acc/top3", "acc/mean1"}


def test_scores_of_a_network_that_diverged_are_wrong():
    samples = [ActionDataSample().set_gt_label(1).set_pred_score(torch.full((10,), float("nan")))]
    assert evaluate(samples)["acc/top5"] == 0


def test_an_undecodable_file_counts_as_wrong():
    """Its stand-in has the right outputs ranked last, whatever the model said of it."""
    samples = [sample(0, [3]), sample(0, [0], **{COUNTED_WRONG: "x.png"})]
    metrics = evaluate(samples, ScoredClips(MappedAccuracy(), unit="image"))
    assert (metrics["acc/top1"], metrics["acc/top5"]) == (0.5, 0.5)
    assert (metrics["scored/clips"], metrics["scored/counted_wrong"]) == (2, 1)


def test_other_data_sets_have_no_map():
    with pytest.raises(UserError, match="metainfo has a class_map, such as ObjectNet; use AccMetric"):
        MappedAccuracy().process(None, [sample(0, [0]).to_dict()])
