"""What is made of IWSLT'14 German-English: text files, BPE codes and dictionaries."""

from dataclasses import dataclass, field
from pathlib import Path

from .dictionary import Dictionary
from .iwslt14_archive import LANGUAGES
from .text_files import write_lines

__all__ = ["CONFIG_SIZES", "Pair", "Prepared"]

CONFIG_SIZES = (8848, 6632)  # of the dictionaries behind Table 6's parameter counts

Pair = tuple[str, str]


@dataclass
class Prepared:
    """What was made of the archive.

    Attributes:
        splits: Pairs of ``train``, ``valid`` and ``test``, split by the codes.
        codes: Lines of the code file.
        dictionaries: German and English.
        left_out: How many pairs were left out, by reason.
    """

    splits: dict[str, list[Pair]]
    codes: list[str]
    dictionaries: tuple[Dictionary, Dictionary]
    left_out: dict[str, int] = field(default_factory=dict)

    def write(self, folder: Path) -> list[Path]:
        """Write ``<split>.<language>``, ``code`` and ``dict.<language>.txt``; return the files."""
        folder.mkdir(parents=True, exist_ok=True)
        files = []
        for side, language in enumerate(LANGUAGES):
            for split, pairs in self.splits.items():
                files.append(folder / f"{split}.{language}")
                write_lines(files[-1], [pair[side] for pair in pairs])
            files.append(folder / f"dict.{language}.txt")
            self.dictionaries[side].save(files[-1])
        files.append(folder / "code")
        write_lines(files[-1], self.codes)
        return files

    def lines(self) -> list[str]:
        """The counts, for the user."""
        counts = ", ".join(f"{len(pairs):,} {split}" for split, pairs in self.splits.items())
        left_out = ", ".join(f"{count:,} {reason}" for reason, count in self.left_out.items())
        sizes = " and ".join(f"{len(d):,} ({name})" for d, name in zip(self.dictionaries, LANGUAGES, strict=True))
        lines = [
            f"pairs: {counts}; left out: {left_out}",
            f"{len(self.codes) - 1:,} BPE codes; dictionaries of {sizes} tokens, the 4 specials counted",
        ]
        found = tuple(map(len, self.dictionaries))
        if found != CONFIG_SIZES:
            options = zip(("encoder", "decoder"), found, strict=True)
            lines.append(
                f"The configs are for {CONFIG_SIZES[0]:,} and {CONFIG_SIZES[1]:,} tokens; give train.py and test.py "
                "--cfg-options " + " ".join(f"model.{part}.vocabulary_size={size}" for part, size in options)
            )
        return lines
