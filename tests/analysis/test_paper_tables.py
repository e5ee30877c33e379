"""The paper's rows, the rule behind its deltas, and the page that is kept in docs/."""

import pytest
import torch

from cgc_video.analysis.complexity import build_model, record_view, view_shape
from cgc_video.analysis.paper_tables import Counts, RowCount, count_tables
from cgc_video.analysis.paper_tables_page import embed_tables, render_page, render_table
from cgc_video.analysis.paper_tables_rows import PAPER_ROWS, TITLES, PaperRow
from cgc_video.analysis.paper_tables_rule import count_by_paper_rule
from cgc_video.engine.config import load_config
from cgc_video.errors import UserError
from cgc_video.evaluation.op_calls import record_ops
from cgc_video.layers import CGC2d


def test_rows_are_complete(repository):
    configs = {path.stem for path in (repository / "configs").glob("*.py")}
    assert {row.table for row in PAPER_ROWS} == set(TITLES)
    for row in PAPER_ROWS:
        if row.config is None:
            assert row.note.startswith("Not built: "), row
        assert {row.config, row.base} - {None} <= configs, row
    assert len({(row.table, row.model) for row in PAPER_ROWS}) == len(PAPER_ROWS)


def by_paper_rule(repository, name: str, **options) -> int:
    cfg = load_config(str(repository / "configs" / f"{name}.py"), options)
    model = build_model(cfg, "meta")
    return count_by_paper_rule(model, record_view(model, view_shape(cfg, model)))


def test_the_rule_on_one_layer():
    with torch.device("meta"):
        layer = CGC2d(32, 64, 3, padding=1, bias=False).eval()
        x = torch.empty(1, 32, 8, 8)
    convolution, pooling, norms_and_sigmoid = 64 * 64 * 32 * 9, 32 * 64, 0
    encode, decode, interact, relu = 32 * 32, 32 * 32 + 64 * 64, 2 * 2, 5 * (32 + 32 + 64)
    expected = convolution + pooling + norms_and_sigmoid + encode + decode + interact + relu
    assert count_by_paper_rule(layer, record_ops(layer, lambda: layer(x))) == expected


def test_the_rule_gives_the_papers_figures(repository):
    """256 MFLOPs and 1.681 for ResNet-110."""
    base = by_paper_rule(repository, "resnet110_cifar10")
    assert base == 256_324_224
    assert by_paper_rule(repository, "resnet110_cgc_cifar10") // 1000 - base // 1000 == 1681


@pytest.mark.slow
def test_the_note_on_the_latent_size(repository):
    options = {"model.backbone.conv_cfg.latent_dim": 10}
    assert by_paper_rule(repository, "resnet110_cgc_cifar10", **options) // 1000 - 256_324 == 1741


def result(parameters: int, delta: int, paper: PaperRow) -> RowCount:
    base = Counts(1_000_000, 9_000_000, 9_000_500, (1, 3, 32, 32))
    return RowCount(paper, Counts(parameters, 10_000_000, base.macs_by_paper_rule + delta, base.shape), base)


@pytest.mark.parametrize(
    ("parameters", "delta", "differs"),
    [
        (1_234_999, 1_681_499, []),  # totals are cut: 10.681 less 9.000
        (1_235_001, 1_681_499, ["parameters"]),
        (1_225_001, 1_681_500, ["delta"]),
        (1_224_999, 1_680_499, ["parameters", "delta"]),
    ],
)
def test_differences_are_those_at_the_papers_decimals(parameters: int, delta: int, differs: list[str]):
    row = PaperRow("3a", "ours", "config", "1.23", "1.681", "base")
    assert result(parameters, delta, row).differences() == differs


def test_a_row_without_figures_or_without_a_model_differs_in_nothing():
    assert result(5, 6, PaperRow("3b", "ours", "config", None)).differences() == []
    other = RowCount(PaperRow("1", "other", None, "27.4", "200", note="Not built: x."), None, None)
    assert (other.differences(), other.delta_macs, other.delta_by_paper_rule) == ([], None, None)


@pytest.mark.parametrize("style", ["text", "markdown", "csv"])
def test_a_page(style: str):
    rows = [
        result(1_234_000, 1_681_000, PaperRow("3a", "ours", "config", "1.24", "1.681", "base", note="A note.")),
        RowCount(PaperRow("3a", "other", None, "27.4", "200", note="Not built: x."), None, None),
    ]
    page = render_page(rows, style)
    assert page.endswith("\n")
    if style == "csv":
        assert page.splitlines()[1:] == [
            "3a,ours,config,1234000,1.24,10000000,1000000,1.681,1.681,parameters,A note.",
            "3a,other,,,27.4,,,,200,not built,Not built: x.",
        ]
        return
    assert "1 rows are built. 1 of them differ from the paper" in page
    assert "- ours: A note.\n- other: Not built: x.\n" in page
    if style == "markdown":
        assert "\n## Table 3(a): ablations on CIFAR-10\n" in page
        assert "\n| ours | `config` | 1.234000 | 1.24 | 10.0 | 1.000 | 1.681 | 1.681 | parameters |\n" in page
        assert "\n| other |  |  | 27.4 |  |  |  | 200 | not built |\n" in page


def test_embedding_replaces_what_was_there():
    rows = [result(1_234_000, 1_681_000, PaperRow("3a", "ours", "config", "1.24", "1.681", "base"))]
    document = "before\n<!-- paper tables -->\n{}\n<!-- end of paper tables -->\nafter\n"
    once = embed_tables(document.format("old"), rows)
    assert once == embed_tables(once, rows)
    assert once.startswith("before\n")
    assert once.endswith("\nafter\n")
    assert "old" not in once
    assert "<summary>Table 3(a): ablations on CIFAR-10</summary>\n\n| model |" in once


@pytest.mark.parametrize(
    "document", ["", "<!-- end of paper tables --> <!-- paper tables -->", "<!-- paper tables -->"]
)
def test_a_document_without_a_place_for_tables(document: str):
    with pytest.raises(UserError, match="must hold <!-- paper tables -->"):
        embed_tables(document, [])


def test_the_readme_holds_the_tables_of_the_committed_page(repository):
    readme, page = ((repository / name).read_text() for name in ("README.md", "docs/paper_tables.md"))
    for title in TITLES.values():
        body = page.split(f"## {title}\n\n")[1].split("\n## ")[0].strip()
        assert f"<details><summary>{title}</summary>\n\n{body}\n\n</details>" in readme, title


def test_the_committed_page_holds_what_the_tool_prints(repository):
    """Table 5 here; the whole page takes a minute."""
    page = (repository / "docs" / "paper_tables.md").read_text()
    assert render_table(count_tables(["5"]), "5", "markdown") in page


@pytest.mark.slow
def test_the_whole_committed_page(repository):
    assert render_page(count_tables(), "markdown") == (repository / "docs" / "paper_tables.md").read_text()
