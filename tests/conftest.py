"""Marks, random state and the real clips."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

import cgc_video  # noqa: F401  registers all types and contains upstream defects


def pytest_addoption(parser):
    parser.addoption("--run-slow", action="store_true", help="run the tests that take minutes, too")


def pytest_collection_modifyitems(config, items):
    required = os.environ.get("CGC_REQUIRE_CUDA") == "1"
    for item in items:
        if "needs_cuda" in item.keywords and not torch.cuda.is_available() and not required:
            item.add_marker(pytest.mark.skip(reason="needs a GPU"))
        if "slow" in item.keywords and not config.getoption("--run-slow"):
            item.add_marker(pytest.mark.skip(reason="takes minutes: --run-slow runs it"))


@pytest.fixture(autouse=True)
def _seeded():
    """Each test starts from one random state and leaves the session's as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


@pytest.fixture
def figure(record_property) -> Callable[[str], None]:
    """Record what a test found, for the tables of ``tools/long_checks.py``."""

    def record(text: str) -> None:
        print(f"\n{text}")
        record_property("figure", text)

    return record


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the repository."""
    return Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def clips():
    """The folder of real videos beside the repository."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "clips"
    if not folder.is_dir():
        pytest.skip("the real clips (shared/clips beside the repository) are not here")
    return folder
