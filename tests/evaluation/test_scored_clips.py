"""Metrics over the clips that were really scored, in one process and in several."""

import pickle

import pytest
import torch
import torch.multiprocessing
from mmaction.evaluation import AccMetric
from mmaction.structures import ActionDataSample
from mmengine.evaluator import DumpResults

from cgc_video.datasets.faults import COUNTED_WRONG, SKIPPED
from cgc_video.errors import UserError
from cgc_video.evaluation import ClassReport, ScoredClips

# label, prediction, and the file that the sample stands for
CLIPS = [(0, 0, None), (1, 1, "x.mp4"), (1, 0, None), (2, 2, None), (0, 0, "y.mp4"), (2, 2, "z.mp4"), (0, 0, None)]


def sample(label: int, prediction: int, skipped: str | None) -> ActionDataSample:
    scores = torch.zeros(3).index_fill_(0, torch.tensor([prediction]), 1.0)
    metainfo = {} if skipped is None else {SKIPPED: skipped}
    return ActionDataSample(metainfo=metainfo).set_gt_label(label).set_pred_score(scores)


def evaluator(*more) -> ScoredClips:
    return ScoredClips([AccMetric(metric_list=("top_k_accuracy",)), ClassReport(log_table=False), *more])


def run(scored: ScoredClips, clips, size: int) -> dict:
    for start in range(0, len(clips), 2):
        batch = [sample(*clip) for clip in clips[start : start + 2]]
        scored.process(batch, {"inputs": [torch.zeros(1)] * len(batch), "data_samples": batch})
    return scored.evaluate(size)


def test_stand_ins_do_not_count():
    scored = evaluator()
    for _ in range(2):  # as after each epoch of training
        metrics = run(scored, CLIPS, len(CLIPS))
        assert metrics["acc/top1"] == pytest.approx(3 / 4)
        assert metrics["report/clips"] == metrics["scored/clips"] == 4
        assert metrics["scored/skipped"] == 3
        assert scored.skipped == ["x.mp4", "y.mp4", "z.mp4"]
    metrics = run(scored, [clip for clip in CLIPS if clip[2] is None], 4)
    assert (metrics["acc/top1"], metrics["scored/skipped"], scored.skipped) == (pytest.approx(3 / 4), 0, [])


def test_what_counts_as_wrong_stays_in_the_denominator():
    """Whatever the stand-in's prediction is; the label is that of the bad file."""
    bad = [sample(label, label, None) for label in (0, 2)]
    for number, each in enumerate(bad):
        each.set_metainfo({COUNTED_WRONG: f"{number}.mp4"})
    good = [sample(0, 0, None), sample(1, 1, None)]
    scored = evaluator()
    for _ in range(2):
        scored.process([good[0], bad[0], bad[1], good[1]])
        metrics = scored.evaluate(4)
        assert metrics["acc/top1"] == metrics["report/mean_class_accuracy"] == pytest.approx(2 / 4)
        assert metrics["report/clips"] == metrics["scored/clips"] == 4
        assert (metrics["scored/skipped"], metrics["scored/counted_wrong"]) == (0, 2)
        assert scored.counted_wrong == ["0.mp4", "1.mp4"]
        bad = [each.clone() for each in bad]


def test_metrics_see_batches_without_stand_ins():
    seen = []

    class Watch(AccMetric):
        def process(self, data_batch, data_samples):
            seen.append((len(data_batch["inputs"]), len(data_batch["data_samples"]), len(data_samples)))
            super().process(data_batch, data_samples)

    run(ScoredClips(Watch(metric_list=("top_k_accuracy",))), CLIPS, len(CLIPS))
    assert seen == [(1, 1, 1), (2, 2, 2), (1, 1, 1)]


def test_nothing_scored():
    with pytest.raises(UserError, match="none of the 2 clips could be scored"):
        run(evaluator(), [CLIPS[1], CLIPS[4]], 2)


def _rank(rank: int, folder: str, skipped: dict[int, str]) -> None:
    torch.distributed.init_process_group("gloo", f"file://{folder}/store", rank=rank, world_size=2)
    clips = [(*clip[:2], skipped.get(position)) for position, clip in enumerate(CLIPS)]
    scored = evaluator(DumpResults(f"{folder}/dump.pkl", collect_dir=f"{folder}/dump"))
    for metric in scored.metrics:
        metric.collect_dir = f"{folder}/{type(metric).__name__}"
    padded = [*clips, clips[0]]  # a sampler repeats samples until all ranks have as many
    metrics = run(scored, padded[rank::2], len(CLIPS))
    torch.save((metrics, scored.skipped), f"{folder}/{rank}.pt")
    torch.distributed.destroy_process_group()


@pytest.mark.parametrize("bad", [[1, 4, 5], [0], [1, 3, 5], [0, 2, 4, 6], [0, 1, 2, 3, 4, 5], []], ids=str)
def test_two_ranks_that_skip_different_numbers(tmp_path, bad):
    """Ranks see positions 0, 2, 4, 6 and 1, 3, 5, 0: the last one is a repetition and counts nowhere."""
    skipped = {position: f"{position}.mp4" for position in bad}
    torch.multiprocessing.start_processes(_rank, (str(tmp_path), skipped), nprocs=2, start_method="fork")
    good = [clip for position, clip in enumerate(CLIPS) if position not in skipped]
    for rank in range(2):
        metrics, paths = torch.load(tmp_path / f"{rank}.pt", weights_only=False)
        assert paths == list(skipped.values())
        assert metrics["acc/top1"] == pytest.approx(
            sum(label == prediction for label, prediction, _ in good) / len(good)
        )
        assert metrics["report/clips"] == metrics["scored/clips"] == len(good)
    dumped = pickle.loads((tmp_path / "dump.pkl").read_bytes())
    assert [int(result["gt_label"]) for result in dumped] == [label for label, _, _ in good]
