"""Class centres and distances against a direct computation, and the gates of each sample against the layer's own kernels."""

import numpy as np
import pytest
import torch
from torch import nn

from cgc_video.analysis.gates import statistics
from cgc_video.analysis.gates.kernels import SampleGate, sample_gates
from cgc_video.analysis.gates.statistics import gate_statistics
from cgc_video.errors import UserError
from cgc_video.layers import CGC2d, CGC3d


def _samples(labels, seed=0, size=50):
    rng = np.random.default_rng(seed)
    return [
        SampleGate(label, rng.normal(label, 1, size).astype(np.float32), rng.random((4, 9)).astype(np.float32))
        for label in labels
    ]


@pytest.mark.parametrize("in_memory", [2**30, 0])
def test_equals_a_direct_computation(in_memory: int, monkeypatch):
    monkeypatch.setattr(statistics, "IN_MEMORY", in_memory)
    monkeypatch.setattr(statistics, "_COLUMNS", 16)
    samples = _samples([0, 3, 1, 1, 3, 0, 0, 1])
    found = gate_statistics(lambda: iter(samples), num_classes=5)
    kernels = {label: np.stack([s.kernel for s in samples if s.label == label]) for label in (0, 1, 3)}
    centres = {label: rows.mean(0) for label, rows in kernels.items()}
    assert found.labels.tolist() == [0, 1, 3]
    assert found.counts.tolist() == [3, 3, 2]
    for row, a in enumerate(centres):
        intra = np.linalg.norm(kernels[a] - centres[a], axis=1).mean()
        assert found.intra[row] == pytest.approx(intra, rel=1e-5)
        for column, b in enumerate(centres):
            assert found.inter[row, column] == pytest.approx(
                np.linalg.norm(centres[a] - centres[b]), rel=1e-5, abs=1e-5
            )
            assert found.difference[row, column] == pytest.approx(found.inter[row, column] - intra, rel=1e-4)
    assert found.over_time[0] == pytest.approx(np.mean([s.over_time for s in samples if s.label == 0], axis=0))


def test_the_share_counts_ordered_pairs():
    tight = [
        SampleGate(0, np.float32([0.0, 0]), np.zeros((1, 1))),
        SampleGate(0, np.float32([0.0, 0.2]), np.zeros((1, 1))),
    ]
    wide = [
        SampleGate(1, np.float32([1.0, 3]), np.zeros((1, 1))),
        SampleGate(1, np.float32([1.0, -3]), np.zeros((1, 1))),
    ]
    found = gate_statistics(lambda: iter(tight + wide), num_classes=2)
    assert found.share == 0.5  # the centres lie 1 apart: more than 0.1, less than 3


def test_one_class_cannot_be_compared():
    with pytest.raises(UserError, match=r"1 class\(es\)"):
        gate_statistics(lambda: iter(_samples([2, 2])), num_classes=5)


class Network(nn.Module):
    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def data_preprocessor(self, batch: dict, training: bool) -> dict:
        return batch

    def forward(self, inputs: torch.Tensor, data_samples: list, mode: str) -> torch.Tensor:
        return self.layer(inputs.flatten(0, 1) if inputs.dim() == 5 else inputs)


class Sample:
    def __init__(self, label: int) -> None:
        self.gt_label = torch.tensor([label])


@pytest.mark.parametrize("views", [1, 3])
def test_a_sample_is_the_mean_over_its_frames_and_views(views: int):
    torch.manual_seed(0)
    layer = CGC3d(16, 4, 3, padding=1, num_segments=4)
    nn.init.normal_(layer.gate.decode_in.weight)
    model = Network(layer).eval()
    inputs = torch.randn(2, views * 4, 16, 6, 6)
    found = list(sample_gates(model, "layer", [{"inputs": inputs, "data_samples": [Sample(5), Sample(2)]}]))
    assert [sample.label for sample in found] == [5, 2]
    for clip, sample in zip(inputs, found, strict=True):
        with torch.no_grad():
            kernels, gates = layer.modulated_weight(clip), layer.gates(clip)
        assert sample.kernel == pytest.approx(kernels.mean(0).flatten().numpy(), abs=1e-5)
        expected = gates.mean((1, 2)).flatten(1).view(views, 4, 9).mean(0)
        assert sample.over_time == pytest.approx(expected.numpy(), abs=1e-5)


def test_a_layer_with_one_gate_per_sample_has_one_point_in_time():
    model = Network(CGC2d(16, 4, 3)).eval()
    found = list(
        sample_gates(model, "layer", [{"inputs": torch.randn(2, 16, 6, 6), "data_samples": [Sample(0), Sample(1)]}])
    )
    assert found[0].over_time.shape == (1, 9)
    assert found[0].kernel.shape == (16 * 4 * 9,)


def test_a_mistyped_layer_is_answered_with_the_nearest_name():
    with pytest.raises(UserError, match=r"layer \(layr\) is not in the model; did you mean layer\?"):
        list(sample_gates(Network(CGC2d(16, 4, 3)), "layr", []))
