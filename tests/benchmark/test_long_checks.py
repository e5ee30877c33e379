"""The tables of ``tools/long_checks.py``, from a report of pytest's to the places of a document."""

from pathlib import Path

import pytest

from cgc_video.benchmark import long_checks
from cgc_video.benchmark.long_checks import CHECKS, embed, read_report, render, run_check
from cgc_video.errors import UserError
from tools import long_checks as tool

REPORT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest">
<testcase classname="tests.fuzz" name="test_videos[mp4]" time="61.4"><properties><property name="figure" value="5 in | 5 out"/></properties></testcase>
<testcase classname="tests.fuzz" name="test_plain" time="1.0"/>
<testcase classname="tests.fuzz" name="test_gpu" time="0.0"><skipped message="needs a GPU"/></testcase>
<testcase classname="tests.fuzz" name="test_lists" time="2.6"><failure message="AssertionError: a.txt&#10;more">trace</failure></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def result():
    return read_report("fuzz", REPORT, "by hand")


def test_a_report(result):
    assert (result.passed, result.failed, result.skipped, result.ok) == (2, 1, 1, False)
    assert render(result).splitlines() == [
        "2 tests passed, 1 failed, 1 were skipped: by hand.",
        "",
        "| check | found | seconds |",
        "| --- | --- | ---: |",
        "| lists | **failed**: AssertionError: a.txt | 3 |",
        "| videos[mp4] | 5 in \\| 5 out | 61 |",
    ]


def test_what_ran_nothing_is_not_ok():
    assert not read_report("fuzz", "<testsuites/>", "").ok


def test_embedding_replaces_what_was_there(result):
    once = embed("a\n<!-- long check fuzz -->\nold\n<!-- end of long check fuzz -->\nb\n", [result])
    assert "old" not in once
    assert once.startswith("a\n<!-- long check fuzz -->\n\n2 tests passed")
    assert once.endswith("| 61 |\n\n<!-- end of long check fuzz -->\nb\n")
    assert embed(once, [result]) == once


def test_every_check_has_tests_and_a_place_in_the_documents(repository):
    document = (repository / "docs" / "reliability.md").read_text()
    assert tuple(CHECKS) == tool.CHECKS
    for name, paths in CHECKS.items():
        assert f"<!-- long check {name} -->" in document
        for path in paths:
            assert (repository / path).exists(), path


def test_pytest_looks_into_every_folder_of_tests(repository, pytestconfig):
    """By default, it and Ruff leave out those whose name is that of a product: dist, build."""
    left_out = set(pytestconfig.getini("norecursedirs"))
    folders = {
        part for path in (repository / "tests").rglob("test_*.py") for part in path.relative_to(repository).parts
    }
    assert not folders & left_out


def test_pytest_is_run_and_read(tmp_path, monkeypatch):
    """With one small test in the place of the long ones."""
    test = tmp_path / "test_small.py"
    test.write_text("def test_small_one(record_property):\n    record_property('figure', 'all of it')\n")
    (tmp_path / "conftest.py").write_text(
        "def pytest_addoption(parser):\n    parser.addoption('--run-slow', action='store_true')\n"
    )
    monkeypatch.setattr(long_checks, "_ROOT", tmp_path)
    monkeypatch.setitem(CHECKS, "fuzz", [str(test), f"--rootdir={tmp_path}", f"-c{tmp_path}/none.ini"])
    (tmp_path / "none.ini").write_text("[pytest]\n")
    result = run_check("fuzz", 1, "abc123")
    assert result.ok
    assert "| small one | all of it | 0 |" in render(result)
    assert "`python tools/long_checks.py fuzz --jobs 1`, 0 min on 20" in result.how
    assert result.how.endswith(", commit abc123")
    monkeypatch.setitem(CHECKS, "fuzz", [str(tmp_path / "none.py")])
    with pytest.raises(UserError, match=r"the tests of fuzz did not run \(pytest's exit code [45]\)"):
        run_check("fuzz", 1, "abc123")


def test_the_tool_refuses_before_it_runs_anything(tmp_path, capsys):
    with pytest.raises(SystemExit) as left:
        tool.main(["fuz"])
    assert left.value.code == 2
    assert "there is no check 'fuz'; take some of resume, processes, faults, soak, fuzz." in capsys.readouterr().err
    document = Path(tmp_path, "page.md")
    document.write_text("no place\n")
    assert tool.main(["fuzz", "--embed", str(document)]) == 2
    assert (
        "must hold <!-- long check fuzz --> and, after it, <!-- end of long check fuzz -->" in capsys.readouterr().err
    )
    assert tool.main(["fuzz", "--embed", str(tmp_path / "none.md")]) == 2
    assert "none.md cannot be read" in capsys.readouterr().err
