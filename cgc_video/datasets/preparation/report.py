"""What the preparation of every data set shares: the report, probing, and the files that come out."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import UserError
from ..lists import CLASS_FILE, KINDS, write_classes, write_list
from .checking import check_clips

__all__ = ["BROKEN", "EMPTY", "MISSING", "UNKNOWN", "Preparation", "SplitReport"]

# Why a clip is left out.
MISSING, EMPTY, UNKNOWN, BROKEN = "missing", "empty", "of an unknown class", "undecodable"
Progress = Callable[..., None]


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
        for reason, names in self.left_out.items():
            if names:
                lines.append(f"  {reason}: {', '.join(names[:5])}{', ...' if len(names) > 5 else ''}")
        return lines


@dataclass
class Preparation:
    """A data set that was looked at, ready to be written.

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

    def write(self, folder: Path) -> list[Path]:
        """Write ``<split>_list.txt`` for each split that has clips, and the class file; return the files.

        Raises:
            UserError: If no split has a clip; nothing is written then.
        """
        if not any(report.entries for report in self.reports):
            total = sum(report.listed for report in self.reports)
            reasons: Counter[str] = Counter()
            for report in self.reports:
                reasons.update({reason: len(names) for reason, names in report.left_out.items() if names})
            raise UserError(
                f"None of the {total} clips that {self.media} should hold is usable"
                f"{''.join(f', {count} are {reason}' for reason, count in reasons.items())}; {self.remedy}."
            )
        folder.mkdir(parents=True, exist_ok=True)
        written = [folder / f"{report.split}_list.txt" for report in self.reports if report.entries]
        for path, report in zip(written, (r for r in self.reports if r.entries), strict=True):
            write_list(path, report.entries, self.kind)
        write_classes(folder / CLASS_FILE, self.classes)
        return [*written, folder / CLASS_FILE]

    def spaces_note(self) -> str | None:
        """MMAction2's own data sets split a line at every space: say so if that matters."""
        key = KINDS[self.kind][0]
        count = sum(" " in entry[key] for report in self.reports for entry in report.entries)
        ours, theirs = ("ListedVideos", "VideoDataset") if self.kind == "video" else ("ListedFrames", "RawframeDataset")
        return (
            f"note: {count} paths hold a space, which {ours} reads and MMAction2's {theirs} does not."
            if count
            else None
        )

    def _path(self, entry: dict[str, Any]) -> str:
        return str(self.media / entry[KINDS[self.kind][0]])
