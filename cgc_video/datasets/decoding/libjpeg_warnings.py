"""Hear libjpeg's warnings where OpenCV runs it: it decodes damaged images, and only a line on standard error tells."""

import os
import re
import tempfile
import threading

__all__ = ["LIBJPEG_WARNINGS"]


class _StandardErrorOfLibjpeg:
    """Catches what libjpeg writes to the standard error stream while OpenCV decodes; anything else is passed on."""

    _LINE = re.compile(r".*(Corrupt JPEG data|Premature end of JPEG|Invalid SOS|Unsupported marker|Invalid JPEG).*")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._file, self._owner, self.text = None, None, ""

    def __enter__(self) -> "_StandardErrorOfLibjpeg":
        self._lock.acquire()
        self.text = ""
        if self._owner != os.getpid():  # a fork would share the place in the file
            self._file, self._owner = tempfile.TemporaryFile(), os.getpid()
        try:
            self._saved = os.dup(2)
            os.dup2(self._file.fileno(), 2)
        except OSError:  # a process without the stream
            self._saved = None
        return self

    def __exit__(self, *error) -> None:
        if self._saved is not None:
            os.dup2(self._saved, 2)
            os.close(self._saved)
            if self._file.tell() or os.fstat(self._file.fileno()).st_size:
                self._read()
        self._lock.release()

    def _read(self) -> None:
        self._file.seek(0)
        lines = self._file.read().decode(errors="replace").splitlines(keepends=True)
        self._file.seek(0)
        self._file.truncate()
        caught = [line.strip() for line in lines if self._LINE.match(line)]
        self.text = caught[0] if caught else ""
        if others := "".join(line for line in lines if not self._LINE.match(line)):
            os.write(2, others.encode())


LIBJPEG_WARNINGS = _StandardErrorOfLibjpeg()
