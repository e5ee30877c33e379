"""The files of IWSLT'14 German-English as they are shipped, unpacked or not."""

import tarfile
from pathlib import Path

from ..errors import UserError
from .text_files import decode_lines

__all__ = ["ARCHIVE", "LANGUAGES", "TEST_SETS", "Archive"]

ARCHIVE = "de-en.tgz"
LANGUAGES = ("de", "en")
# in the order in which they make the test set
TEST_SETS = ("TED.dev2010", "TEDX.dev2012", "TED.tst2010", "TED.tst2011", "TED.tst2012")


def _file_name(part: str, language: str) -> str:
    return f"train.tags.de-en.{language}" if part == "train" else f"IWSLT14.{part}.de-en.{language}.xml"


NAMES = [_file_name(part, language) for part in ("train", *TEST_SETS) for language in LANGUAGES]


class Archive:
    """The official files.

    Args:
        root: The archive, or a folder with the archive, with the folder ``de-en`` that it unpacks to, or with the
            files.
    Raises:
        UserError: If nothing of it is there; says what to put where.
    """

    def __init__(self, root: str | Path) -> None:
        self.root = root = Path(root)
        folders = [folder for folder in (root, root / "de-en") if (folder / NAMES[0]).is_file()]
        archives = [path for path in (root, root / ARCHIVE) if path.is_file()]
        self._members: dict[str, bytes] = {}
        if folders:
            self.root = folders[0]
        elif archives:
            self.root = archives[0]
            self._members = _unpack(archives[0])
        else:
            raise UserError(
                f"IWSLT'14 is not in {root}: put the official archive there as {root / ARCHIVE} (German-English "
                "texts of the IWSLT 2014 evaluation campaign, release 2014-01), or what it unpacks to, the folder "
                f"{root / 'de-en'} with {NAMES[0]}, {NAMES[1]} and the XML files of {', '.join(TEST_SETS)}, such as "
                f"{NAMES[2]}."
            )

    def path(self, part: str, language: str) -> str:
        """Where a file is, for messages; ``part`` is ``"train"`` or one of ``TEST_SETS``."""
        return str(self.root / _file_name(part, language))

    def lines(self, part: str, language: str) -> list[str]:
        """The lines of a file.

        Raises:
            UserError: If it is missing or not UTF-8.
        """
        name = _file_name(part, language)
        path = self.root / name
        content = path.read_bytes() if path.is_file() else self._members.get(name)
        if content is None:
            raise UserError(
                f"{path} is missing; put the complete official archive ({ARCHIVE}) there, or unpack it again."
            )
        return list(decode_lines(content, str(path)))


def _unpack(path: Path) -> dict[str, bytes]:
    """Contents of the files of interest, by name; nothing is written."""
    try:
        with tarfile.open(path) as archive:
            members = [member for member in archive if member.isfile() and Path(member.name).name in NAMES]
            return {Path(member.name).name: file.read() for member in members if (file := archive.extractfile(member))}
    except (tarfile.TarError, OSError, EOFError) as error:
        raise UserError(f"{path} cannot be unpacked ({error}); download the archive again.") from error
