"""Translation by the tools: prepare the official archive, train, average, test, translate; and the toy tasks."""

import importlib.util
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

ROOT = Path(__file__).parents[2]
TEST_SETS = ("TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012")
NOUNS = [
    ("Haus", "house"),
    ("Baum", "tree"),
    ("Hund", "dog"),
    ("Tisch", "table"),
    ("Garten", "garden"),
    ("Fluss", "river"),
]
SMALL = [
    *(
        f"model.{part}.{key}={value}"
        for part in ("encoder", "decoder")
        for key, value in (("width", 16), ("hidden", 16))
    ),
    "model.encoder.kernel_sizes=[3,7]",
    "model.decoder.kernel_sizes=[3]",
    "model.beam.max_length=12",
    "train_dataloader.num_workers=0",
    "train_dataloader.persistent_workers=False",
    "val_dataloader.num_workers=0",
    "val_dataloader.persistent_workers=False",
    "test_dataloader.num_workers=0",
    "test_dataloader.persistent_workers=False",
]


def load(name: str) -> Callable[[list[str]], int]:
    spec = importlib.util.spec_from_file_location(f"translation_tool_{Path(name).stem}", ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.main


train, evaluate, translate = load("train"), load("test"), load("translate")
prepare, average = load("data/prepare_iwslt14"), load("average_checkpoints")


def write_archive(folder: Path) -> None:
    """The official layout: 60 talks' worth of one sentence each, and two sentences per test set."""
    folder.mkdir(parents=True)
    german = [f"Der {noun[0]} Nummer {n} ist gut, oder?" for n in range(10) for noun in NOUNS]
    english = [f"The {noun[1]} number {n} is good, isn't it?" for n in range(10) for noun in NOUNS]
    for language, lines in (("de", german), ("en", english)):
        head = f"<url>u</url>\n<keywords>k</keywords>\n<talkid>1</talkid>\n<title>{lines[0]}</title>\n"
        (folder / f"train.tags.de-en.{language}").write_text(head + "".join(f"{line}\n" for line in lines[1:]))
        for part in TEST_SETS:
            segments = "".join(f'<seg id="{n}"> {line} </seg>\n' for n, line in enumerate(lines[:2], start=1))
            (folder / f"IWSLT14.{part}.de-en.{language}.xml").write_text(
                f"<mteval>\n<doc>\n{segments}</doc>\n</mteval>\n"
            )


@pytest.fixture(scope="module")
def prepared(tmp_path_factory) -> Path:
    """A folder with ``data/iwslt14``, prepared by the tool. Read only."""
    root = tmp_path_factory.mktemp("prepared")
    write_archive(root / "data" / "iwslt14" / "de-en")
    assert prepare([str(root / "data" / "iwslt14"), "--merges", "60", "--workers", "1"]) == 0
    return root


@pytest.fixture
def in_prepared(prepared, monkeypatch, in_tmp) -> Path:
    monkeypatch.chdir(prepared)
    return prepared


def sizes(root: Path) -> list[str]:
    """The options that fit a config to the small dictionaries."""
    counts = [len((root / f"data/iwslt14/dict.{side}.txt").read_text().splitlines()) + 4 for side in ("de", "en")]
    return [f"model.encoder.vocabulary_size={counts[0]}", f"model.decoder.vocabulary_size={counts[1]}"]


@pytest.fixture(scope="module")
def trained(prepared, tmp_path_factory) -> Path:
    """The work dir of a short training by the config of the paper's model; run in the prepared folder. Read only."""
    work_dir = tmp_path_factory.mktemp("trained")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(prepared)
        options = [*SMALL, *sizes(prepared), "train_cfg.max_updates=5", "train_dataloader.batch_sampler.max_tokens=400"]
        command = [str(ROOT / "configs/lightconv_cgc_iwslt14.py"), "--work-dir", str(work_dir), "--seed", "1"]
        assert train([*command, "--cfg-options", *options]) == 0
    return work_dir


def fails(main: Callable[[list[str]], int], capsys, *argv: str) -> str:
    capsys.readouterr()
    assert main(list(argv)) == 2
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error.splitlines()[-1]


def test_preparing_reports_counts_and_writes_what_the_configs_read(tmp_path, capsys):
    write_archive(tmp_path / "de-en")
    assert prepare([str(tmp_path), "--merges", "60", "--workers", "2"]) == 0
    captured = capsys.readouterr()
    assert "pairs: 58 train, 2 valid, 10 test; left out: 0 empty" in captured.out
    assert "60 BPE codes; dictionaries of" in captured.out
    assert captured.out.endswith(f"dict.en.txt and code to {tmp_path}.\n")
    first = (tmp_path / "train.en").read_text().splitlines()[0].replace("@@ ", "")
    assert first == "the house number 0 is good , isn &apos;t it ?"
    assert len((tmp_path / "test.de").read_text().splitlines()) == 10


def test_preparing_without_the_archive(tmp_path, capsys):
    assert f"put the official archive there as {tmp_path}/de-en.tgz" in fails(prepare, capsys, str(tmp_path))
    assert "--merges (0) must be at least 1" in fails(prepare, capsys, str(tmp_path), "--merges", "0")


def test_training_ends_with_an_average_that_is_tested_by_bleu(in_prepared, trained, tmp_path, capsys):
    names = {path.name for path in trained.iterdir()}
    assert {"averaged.pth", "curves.csv", "curves.png", "eval"} <= names
    meta = torch.load(trained / "averaged.pth", weights_only=True)["meta"]
    assert meta["dataset_meta"]["bpe_codes"] == "data/iwslt14/code"
    assert meta["iter"] == 5

    config = str(ROOT / "configs/lightconv_cgc_iwslt14.py")
    options = ["--work-dir", str(tmp_path / "out"), "--cfg-options", *SMALL, *sizes(in_prepared)]
    capsys.readouterr()
    assert evaluate([config, str(trained / "averaged.pth"), *options]) == 0
    printed = capsys.readouterr().out
    for text in (
        "10 test sentences, at most 4,000 tokens per batch",
        "BLEU",
        "sentences tested",
        "test_translations.txt",
    ):
        assert text in printed
    metrics = json.loads((tmp_path / "out/eval/metrics.json").read_text())["metrics"]
    assert 0 <= metrics["translation/bleu"] <= 100
    assert metrics["translation/sentences"] == 10
    lines = (tmp_path / "out/eval/test_translations.txt").read_text().splitlines()
    assert [line.split("\t")[0] for line in lines[:2]] == ["the house number 0 is good , isn &apos;t it ?"] + [
        "the tree number 0 is good , isn &apos;t it ?"
    ]


def test_resuming_after_the_last_epoch(in_prepared, trained, tmp_path, capsys):
    """Another two updates; the summary says what a batch is."""
    options = [*SMALL, *sizes(in_prepared), "train_cfg.max_updates=7", "train_dataloader.batch_sampler.max_tokens=400"]
    last = (trained / "last_checkpoint").read_text()
    command = [str(ROOT / "configs/lightconv_cgc_iwslt14.py"), "--work-dir", str(tmp_path), "--resume", last]
    assert train([*command, "--cfg-options", *options]) == 0
    printed = capsys.readouterr().out
    assert "58 training sentences, 2 validation sentences" in printed
    assert "at most 400 tokens per device x 1 device(s) x 1 step(s)" in printed
    assert "7 iterations, going on after epoch" in printed


def test_averaging_by_hand(trained, tmp_path, capsys):
    assert average([str(trained), "--last", "2", "--output", str(tmp_path / "a.pth")]) == 0
    assert capsys.readouterr().out.startswith("Averaged 2 checkpoint(s), epoch_")
    assert (tmp_path / "a.pth").is_file()
    assert average([str(trained), "--last", "99", "--output", str(tmp_path / "a.pth")]) == 0
    assert "holds no more than these; 99 were asked for" in capsys.readouterr().out
    assert "holds no checkpoint" in fails(average, capsys, str(tmp_path / "nowhere"))


def test_translating_a_file_and_the_standard_input(in_prepared, trained, tmp_path, capsys, monkeypatch):
    (tmp_path / "a.de").write_text("Der Hund ist gut, oder?\n\nDer \u2603 ist gut, oder?\n")
    capsys.readouterr()
    assert translate([str(trained / "averaged.pth"), str(tmp_path / "a.de")]) == 0
    captured = capsys.readouterr()
    lines = captured.out.split("\n")
    assert len(lines) == 4  # three and what is behind the last line's end
    assert lines[0]
    assert lines[1] == ""
    assert "1 empty line(s), line 2 first: their translations are empty." in captured.err
    assert "tokens are not in data/iwslt14/dict.de.txt ('\u2603'): they are read as <unk>." in captured.err

    stdin = type("Input", (), {"buffer": io.BytesIO(b"Der Hund ist gut, oder?\n")})()
    monkeypatch.setattr(sys, "stdin", stdin)
    assert translate([str(trained / "averaged.pth"), "--beam", "6"]) == 0
    assert capsys.readouterr().out == f"{lines[0]}\n"


def test_translating_from_elsewhere(in_prepared, trained, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.de").write_text("Der Baum.\n")
    message = fails(translate, capsys, str(trained / "averaged.pth"), "a.de")
    assert "dictionary (data/iwslt14/dict.de.txt) cannot be read: No such file or directory; check the path" in message
    assert translate([str(trained / "averaged.pth"), "a.de", "--data", str(in_prepared / "data/iwslt14")]) == 0

    other = tmp_path / "other"
    other.mkdir()
    for path in (in_prepared / "data/iwslt14").glob("*.*"):
        if path.is_file():
            (other / path.name).write_bytes(path.read_bytes())
    lines = (other / "dict.de.txt").read_text().splitlines()
    (other / "dict.de.txt").write_text("\n".join([lines[1], lines[0], *lines[2:]]))
    message = fails(translate, capsys, str(trained / "averaged.pth"), "a.de", "--data", str(other))
    assert "the source dictionary (other/dict.de.txt) is not the one that checkpoint" in message.replace(
        f"{tmp_path}/", ""
    )


def test_what_cannot_be_translated(in_prepared, trained, tmp_path, capsys):
    checkpoint, text = str(trained / "averaged.pth"), tmp_path / "a.de"
    text.write_text("kurz\n" + "lang " * 1100)
    assert "line 2 has 4400 tokens and </s>, more than the limit (1024)" in fails(
        translate, capsys, checkpoint, str(text)
    )
    text.write_bytes("schön\n".encode("latin-1"))
    assert "a.de, line 1, is not UTF-8" in fails(translate, capsys, checkpoint, str(text))
    text.write_text("kurz\n")
    assert "does not exist" in fails(translate, capsys, str(tmp_path / "no.pth"), str(text))
    torch.save({"state_dict": {"a": torch.ones(1)}, "meta": {}}, tmp_path / "other.pth")
    assert "names no dictionaries" in fails(translate, capsys, str(tmp_path / "other.pth"), str(text))


def test_a_dictionary_of_another_model_is_refused_at_start(in_prepared, trained, capsys):
    config = str(ROOT / "configs/lightconv_cgc_iwslt14.py")
    message = fails(train, capsys, config, "--work-dir", str(trained / "x"), "--cfg-options", *SMALL)
    assert "tokens, the specials counted, and model.encoder.vocabulary_size is 8,848; set --cfg-options" in message


def test_there_is_nothing_to_show(in_prepared, trained, capsys):
    config = str(ROOT / "configs/lightconv_cgc_iwslt14.py")
    message = fails(evaluate, capsys, config, str(trained / "averaged.pth"), "--show-dir", "shown")
    assert "this model has no classes; leave them away" in message


def test_missing_files_name_the_way_to_them(in_prepared, tmp_path, capsys, monkeypatch):
    config = str(ROOT / "configs/lightconv_iwslt14.py")
    message = fails(train, capsys, config, "--cfg-options", "val_dataloader.dataset.source_file=dev.de")
    assert "val_dataloader.dataset.source_file (data/iwslt14/dev.de) does not exist; prepare the data with" in message
    monkeypatch.chdir(tmp_path)
    message = fails(train, capsys, config)
    assert (
        "the data folder (data/iwslt14) does not exist; prepare the data with `python tools/data/prepare_iwslt14.py"
        in message
    )
    assert "python tools/train.py configs/lightconv_cgc_copy_mini.py`, whose data needs no download" in message


def test_the_copy_task_shortened(in_tmp, capsys, tmp_path):
    """200 of the 2,000 steps, through beam search and sacrebleu; then a line by ``tools/translate.py``."""
    config = str(ROOT / "configs/lightconv_cgc_copy_mini.py")
    options = ["train_cfg.max_epochs=1", "train_dataloader.dataset.sentences=12800"]
    options += ["val_dataloader.dataset.sentences=20", "test_dataloader.dataset.sentences=40"]
    assert train([config, "--work-dir", "out", "--seed", "1", "--cfg-options", *options]) == 0
    assert evaluate([config, "out/epoch_1.pth", "--work-dir", "out", "--cfg-options", *options[3:]]) == 0
    metrics = json.loads(Path("out/eval/metrics.json").read_text())["metrics"]
    assert metrics["translation/sentences"] == 40
    assert metrics["translation/bleu"] > 10  # measured 29; guessing letters gives 0
    Path("line.txt").write_text("a b c d e f mode1\n")
    capsys.readouterr()
    assert translate(["out/epoch_1.pth", "line.txt"]) == 0
    assert set(capsys.readouterr().out.split()) <= set("abcdefghijklmnopqrst")


@pytest.mark.slow
def test_the_copy_task_in_full(in_tmp):
    config = str(ROOT / "configs/lightconv_cgc_copy_mini.py")
    assert train([config, "--work-dir", "out", "--seed", "1"]) == 0
    assert evaluate([config, "out/epoch_4.pth", "--work-dir", "out"]) == 0
    assert json.loads(Path("out/eval/metrics.json").read_text())["metrics"]["translation/bleu"] > 95
