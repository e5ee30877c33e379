"""Peak memory of passes whose tensors are known."""

import sys

import pytest

from cgc_video.benchmark.layer_cases import LayerCase
from cgc_video.benchmark.memory import PeakMemory, available_bytes, measure_peaks, why_unmeasured
from cgc_video.benchmark.settings import Settings
from cgc_video.testing import GatedConvCase

MIB = 2**20
on_linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the peak of a process is read on Linux")


@on_linux
def test_peak_is_what_a_pass_holds_beyond_its_inputs():
    # output: 4 samples x 32 channels x 256 x 128 x 4 bytes = 16 MiB; columns of 3x3 taps of 4 channels: 18 MiB
    conv = GatedConvCase("known", batch=4, in_channels=4, out_channels=32, size=(256, 128))
    peaks = measure_peaks(LayerCase(conv), ["plain", "unfold", "nonsense"], training=False, settings=Settings())
    assert isinstance(peaks["plain"], PeakMemory)
    assert 15 * MIB < peaks["plain"].peak < 40 * MIB  # the library may hold the output twice, in a layout of its own
    assert 33 * MIB < peaks["unfold"].peak < 50 * MIB
    assert peaks["nonsense"].startswith("ValueError: backend ('nonsense') must be")


@pytest.mark.needs_cuda
def test_peak_on_a_gpu():
    conv = GatedConvCase("known", batch=4, in_channels=4, out_channels=32, size=(256, 128))
    settings = Settings(device="cuda")
    peaks = measure_peaks(LayerCase(conv), ["plain", "unfold"], training=False, settings=settings)
    assert peaks["plain"].peak >= 16 * MIB
    assert peaks["unfold"].peak >= 34 * MIB
    assert peaks["unfold"].peak > peaks["plain"].peak


@on_linux
def test_available_memory():
    assert available_bytes() > 64 * MIB


def test_elsewhere_a_sentence_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr("cgc_video.benchmark.memory._STATUS", tmp_path / "none")
    assert why_unmeasured(Settings()) == (
        "Memory on the CPU is not measured: that takes Linux, which can reset a process's peak."
    )
