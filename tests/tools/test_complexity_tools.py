"""``tools/analysis/complexity.py`` and ``paper_tables.py``."""

import csv
import io

import pytest

from cgc_video.analysis import paper_tables as counted_tables
from cgc_video.analysis.paper_tables_rows import PaperRow
from tools.analysis import complexity, paper_tables


@pytest.fixture
def configs(repository) -> list[str]:
    return [str(repository / "configs" / f"{name}.py") for name in ("tsm_r18_mini", "tsm_r18_cgc_mini")]


def test_text_shows_stages_parts_a_comparison_and_the_rule(configs, capsys):
    assert complexity.main([*configs, "--latency", "--repeats", "1"]) == 0
    out = capsys.readouterr().out
    assert f"{configs[1]}, a clip of 4 frames, 32 x 32\n" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["stem", "186,856", "13.926", "177,320", "4.292"] in lines
    assert ["gate:", "encode", "65,044", "1.459"] in lines
    compared = next(line for line in lines if line[:3] == [configs[1], "11,402,192", "201.953"])
    assert compared[3:5] == ["+221,576", "+53.891"]
    assert float(compared[5]) > 0
    assert "Latency: median of 1 passes in turn, cpu" in out
    assert "Multiply-adds of one view in evaluation mode" in out


def test_csv_sums_to_the_model(configs, capsys):
    assert complexity.main([configs[1], "--csv"]) == 0
    rows = list(csv.DictReader(io.StringIO(capsys.readouterr().out)))
    assert sum(int(row["parameters"]) for row in rows) == 11_402_192
    assert {row["part"] for row in rows} >= {"convolution", "gate: interact", "gate: modulate"}
    assert {row["config"] for row in rows} == {configs[1]}


def test_markdown_to_a_file(configs, tmp_path, capsys):
    output = tmp_path / "new" / "counts.md"
    assert complexity.main([configs[0], "--markdown", "--size", "64", "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"Wrote {output}.\n"
    text = output.read_text()
    assert text.startswith(f"`{configs[0]}`, a clip of 4 frames, 64 x 64\n\n| stage | parameters |")
    assert "\n| all | 11,180,616 |" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--size", "0"], "--size (0) must be at least 1."),
        (["--latency", "--repeats", "0"], "--repeats (0) must be at least 1."),
        (["--cfg-options", "model.backbone.dept=18"], "has no argument 'dept'"),
    ],
)
def test_mistakes_are_one_line(arguments, message, configs, capsys):
    assert complexity.main([configs[0], *arguments]) == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert message in error
    assert error.count("\n") == 1


def test_a_config_that_is_not_there(capsys):
    assert complexity.main(["configs/tsm_r18_minni.py"]) == 2
    assert "config (configs/tsm_r18_minni.py) does not exist" in capsys.readouterr().err


def test_paper_tables(monkeypatch, tmp_path, capsys):
    rows = (
        PaperRow("3a", "plain", "resnet20_digits", "0.30"),
        PaperRow("3a", "gated", "resnet20_cgc_digits", "0.28", "0.100", "resnet20_digits"),
        PaperRow("5", "elsewhere", "tsm_r18_mini", "11.18"),
    )
    monkeypatch.setattr(counted_tables, "PAPER_ROWS", rows)
    output = tmp_path / "new" / "rows.csv"
    assert paper_tables.main(["--tables", "3a", "--csv", "--output", str(output)]) == 0
    assert capsys.readouterr().out == f"Wrote {output}.\n"
    plain, gated = csv.DictReader(output.open())
    assert (plain["model"], gated["model"]) == ("plain", "gated")
    assert int(gated["parameters"]) > int(plain["parameters"])
    assert int(gated["multiply_adds"]) - int(plain["multiply_adds"]) == int(gated["delta_multiply_adds"])
    assert "delta" in gated["differs"]


def test_a_table_that_the_paper_does_not_have(capsys):
    with pytest.raises(SystemExit):
        paper_tables.main(["--tables", "7"])
    assert "invalid choice: '7'" in capsys.readouterr().err
