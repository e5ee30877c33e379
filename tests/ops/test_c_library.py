"""The build of the C kernels: cached, and every failure named."""

import logging

import pytest
import torch

from cgc_video.ops.gated_conv import c_library, cpu

needs_kernel = pytest.mark.skipif(bool(c_library.why_unavailable()), reason=str(c_library.why_unavailable()))


@pytest.fixture
def fresh_cache(tmp_path, monkeypatch):
    """An empty cache folder, and no library loaded."""
    monkeypatch.setenv("CGC_VIDEO_CACHE", str(tmp_path / "cache"))
    c_library._load.cache_clear()
    yield tmp_path / "cache"
    monkeypatch.undo()
    c_library._load.cache_clear()


def test_no_compiler_falls_back(fresh_cache, monkeypatch, caplog):
    monkeypatch.setenv("CC", "/nowhere/cc")
    with caplog.at_level(logging.WARNING):
        assert c_library.why_unavailable()
        assert c_library.why_unavailable()
    assert len(caplog.records) == 1
    assert "/nowhere/cc" in c_library.why_unavailable()
    x, weight = torch.zeros(1, 16, 2, 2), torch.zeros(16, 16, 3, 3)
    assert "not available" in cpu.unsupported_reason(x, weight, (1, 1), (1, 1), (1, 1), 1)


def test_failing_build_falls_back(fresh_cache, monkeypatch, tmp_path):
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\n[ \"$1\" = --version ] && exit 0\necho 'omp.h: no such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("CC", str(compiler))
    assert "omp.h: no such file" in c_library.why_unavailable()
    assert list(fresh_cache.iterdir()) == []


@needs_kernel
def test_build_is_cached(fresh_cache):
    assert not c_library.why_unavailable()
    (library,) = fresh_cache.iterdir()
    built_at = library.stat().st_mtime_ns
    c_library._load.cache_clear()
    assert not c_library.why_unavailable()
    assert [path.stat().st_mtime_ns for path in fresh_cache.iterdir()] == [built_at]


@needs_kernel
def test_unwritable_cache_folder_falls_back_to_a_temporary_one(tmp_path, monkeypatch):
    blocked = tmp_path / "file"
    blocked.write_text("")
    monkeypatch.setenv("CGC_VIDEO_CACHE", str(blocked / "cache"))
    monkeypatch.setattr(c_library.tempfile, "gettempdir", lambda: str(tmp_path))
    folder = c_library._cache_folder()
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o077 == 0
