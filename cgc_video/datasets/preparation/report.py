"""What the preparation of every data set shares: the report, probing, and the files that come out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import CLASS_FILE, KINDS, read_classes, unusable_name, write_classes, write_list
from .checking import check_clips
from .output import require_folder_for_output
from .words import printable, some

__all__ = ["BROKEN", "EMPTY", "MISSING", "UNKNOWN", "UNUSABLE", "Preparation", "SplitReport", "is_own_file"]

# Why a clip is left out.
MISSING, EMPTY, UNKNOWN, BROKEN = "missing", "empty", "of an unknown class", "undecodable"
UNUSABLE = "of an unusable name (no UTF-8, or a line break)"
SPLITS = ("train", "val", "test")
ASIDE = ".old"  # added to the name of a list that a run does not write
Progress = Callable[..., None]


def is_own_file(name: str) -> bool:
    """Whether preparation writes files of this name."""
    return name.removesuffix(ASIDE) in {CLASS_FILE, *(f"{split}_list.txt" for split in SPLITS)}


@dataclass
class SplitReport:
    """What became of the clips of one split.

    Attributes:
        entries: Those that go into the list, with the keys of ``lists.KINDS``.
        left_out: Names of the others, by reason; a reason that was looked for is there even if it was not met.
    """

    split: str
    entries: list[dict[str, Any]] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=lambda: {MISSING: [], EMPTY: [], UNKNOWN: []})

    @property
    def listed(self) -> int:
        return len(self.entries) + sum(map(len, self.left_out.values()))

    def leave_out(self, reason: str, name: str) -> None:
        self.left_out.setdefault(reason, []).append(name)

    def lines(self) -> list[str]:
        """The counts, then a few names per reason."""
        share = f" ({100 * len(self.entries) / self.listed:.1f} %)" if self.listed else ""
        counts = "".join(f", {len(names)} {reason}" for reason, names in self.left_out.items())
        lines = [f"{self.split}: {self.listed} listed, {len(self.entries)} found{share}{counts}"]
        lines += [f"  {reason}: {some(names)}" for reason, names in self.left_out.items() if names]
        return [printable(line) for line in lines]


@dataclass
class Preparation:
    """A data set that was looked at, ready to be written. Clips whose names no list can hold are left out.

    Attributes:
        classes: Names in label order.
        kind: Of the lists, see ``lists.KINDS``.
        media: The folder that the names in the lists are relative to.
        remedy: What to do if nothing usable is there; the end of a sentence.
        notes: Lines for the user besides the reports.
    """

    reports: list[SplitReport]
    classes: Sequence[str]
    kind: str
    media: Path
    remedy: str
    notes: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        key = KINDS[self.kind][0]
        for report in self.reports:
            entries, report.entries = report.entries, []
            for entry in entries:
                if unusable_name(entry[key]):
                    report.leave_out(UNUSABLE, entry[key])
                else:
                    report.entries.append(entry)

    def probe(self, workers: int = 1, seconds: float = 60.0, progress: Progress = lambda done, total: None) -> None:
        """Open every clip and decode its first frame; those that fail are left out as undecodable."""
        clips = [(self._path(entry), entry.get("total_frames")) for report in self.reports for entry in report.entries]
        results = check_clips(clips, workers, seconds, first_frame_only=True, progress=progress)
        reasons = {result.path: result.reason for result in results if result.reason}
        for report in self.reports:
            entries, report.entries = report.entries, []
            report.left_out.setdefault(BROKEN, [])
            for entry in entries:
                if reason := reasons.get(self._path(entry)):
                    report.leave_out(BROKEN, f"{entry[KINDS[self.kind][0]]} ({reason})")
                else:
                    report.entries.append(entry)

    def check_output(self, folder: Path, force: bool = False) -> None:
        """See that the results can be written to a folder, before more work is done.

        Args:
            force: Replace lists of other classes.
        Raises:
            UserError: If files cannot be put there, or its class file names other classes, unless ``force``.
        """
        require_folder_for_output(folder, "--output")
        path = folder / CLASS_FILE
        if force or not path.exists():
            return
        try:
            there = read_classes(path)
        except UserError:
            there = []
        if there != list(self.classes):
            raise UserError(
                f"{path} names other classes ({len(there)}: {some(there, 3)}) than this data "
                f"({len(self.classes)}: {printable(some(self.classes, 3))}); write elsewhere by --output, or replace the "
                "lists there by --force."
            )

    def write(self, folder: Path, force: bool = False) -> list[Path]:
        """Write ``<split>_list.txt`` for each split that has clips, and the class file; return the files.

        The list that another run has left for a split without clips gets the suffix ``.old``, which ``notes`` then says:
        beside the new lists it would mix two ways of splitting.

        Raises:
            UserError: If no split has a clip, or as ``check_output``; nothing is written then.
        """
        if not any(report.entries for report in self.reports):
            raise UserError(self._nothing_usable())
        self.check_output(folder, force)
        folder.mkdir(parents=True, exist_ok=True)
        filled = {report.split: report.entries for report in self.reports if report.entries}
        written = [folder / f"{split}_list.txt" for split in filled]
        for path, entries in zip(written, filled.values(), strict=True):
            write_list(path, entries, self.kind)
        write_classes(folder / CLASS_FILE, self.classes)
        for split in SPLITS:
            if (path := folder / f"{split}_list.txt").is_file() and split not in filled:
                path.replace(path.with_name(path.name + ASIDE))
                self.notes.append(
                    f"note: {path} of an earlier run is now {path.name}{ASIDE}: this run has no clip for that split"
                )
        return [*written, folder / CLASS_FILE]

    def _nothing_usable(self) -> str:
        total = sum(report.listed for report in self.reports)
        reasons: Counter[str] = Counter()
        for report in self.reports:
            reasons.update({reason: len(names) for reason, names in report.left_out.items() if names})
        why = "".join(f", {count} {'is' if count == 1 else 'are'} {reason}" for reason, count in reasons.items())
        if total == 1:
            return f"The only clip that {self.media} should hold is {next(iter(reasons))}; {self.remedy}."
        return f"None of the {total} clips that {self.media} should hold is usable{why}; {self.remedy}."

    def spaces_note(self) -> str | None:
        """MMAction2's own data sets split a line at every space: say so if that matters."""
        key = KINDS[self.kind][0]
        count = sum(" " in entry[key] for report in self.reports for entry in report.entries)
        ours, theirs = ("ListedVideos", "VideoDataset") if self.kind == "video" else ("ListedFrames", "RawframeDataset")
        holds = "1 path holds" if count == 1 else f"{count} paths hold"
        return f"note: {holds} a space, which {ours} reads and MMAction2's {theirs} does not." if count else None

    def _path(self, entry: dict[str, Any]) -> str:
        return str(self.media / entry[KINDS[self.kind][0]])
