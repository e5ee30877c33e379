"""Compile the C kernels at first use, keep the library in a cache folder, and call its functions with tensors.

The system's C compiler (``$CC``, else cc, gcc or clang) writes into ``$CGC_VIDEO_CACHE``, else ``~/.cache/cgc_video``.
"""

import ctypes
import functools
import hashlib
import logging
import os
import platform
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path

from torch import Tensor

__all__ = ["call", "why_unavailable"]

logger = logging.getLogger(__name__)

_SOURCES = Path(__file__).with_name("csrc")
# No -ffast-math: GCC before 13 then links start-up code that makes the whole process flush denormals to zero.
_FLAGS = ("-O3", "-march=native", "-fno-math-errno", "-fno-trapping-math", "-fopenmp", "-shared", "-fPIC")


def why_unavailable() -> str | None:
    """Why there is no compiled kernel on this machine, or ``None`` if there is one; the first call compiles it (about two seconds)."""
    return _load()[1]


def call(name: str, *arguments: Tensor | int | None) -> None:
    """Call a C function: tensors become pointers, ``None`` null, numbers longs, but the last (threads) an int."""
    *arguments, threads = arguments
    converted = []
    for argument in arguments:
        if isinstance(argument, int):
            converted.append(ctypes.c_long(argument))
        else:
            assert argument is None or argument.is_contiguous()
            converted.append(ctypes.c_void_p(None if argument is None else argument.data_ptr()))
    getattr(_load()[0], name)(*converted, ctypes.c_int(threads))


@functools.lru_cache(maxsize=1)
def _load() -> tuple[ctypes.CDLL | None, str | None]:
    """The compiled library, or why there is none."""
    try:
        return ctypes.CDLL(str(_build())), None
    except Exception as error:  # whatever a machine's compiler, folders and settings do, the eager backend serves
        reason = f"its C kernel is not available ({error})"
        logger.warning("The fused CPU backend of gated_conv2d is off, and the eager one serves: %s.", reason)
        return None, reason


def _build() -> Path:
    """Compile the kernel unless the cache holds it; the file's name is the hash of all that decides its content."""
    compiler = _compiler()
    version = subprocess.run([*compiler, "--version"], capture_output=True, text=True, check=True, timeout=60).stdout
    sources = sorted(_SOURCES.iterdir())
    key = (*(path.read_text() for path in sources), *_FLAGS, *compiler, version, _cpu_model())
    folder = _cache_folder()
    library = folder / f"gated_conv_{hashlib.sha256(chr(0).join(key).encode()).hexdigest()[:16]}.so"
    if library.exists():
        return library
    # Processes may build at once: each writes its own file, and the renaming is atomic.
    handle, name = tempfile.mkstemp(suffix=".so.tmp", dir=folder)
    os.close(handle)
    try:
        command = [*compiler, *_FLAGS, "-o", name, *(str(path) for path in sources if path.suffix == ".c")]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300)
        if done.returncode:
            raise RuntimeError(f"{compiler[0]} failed: {(done.stderr.strip().splitlines() or ['no message'])[0]}")
        os.replace(name, library)
    finally:
        Path(name).unlink(missing_ok=True)
    return library


def _compiler() -> list[str]:
    if os.environ.get("CC"):
        return shlex.split(os.environ["CC"])
    for name in ("cc", "gcc", "clang"):
        if path := shutil.which(name):
            return [path]
    raise RuntimeError("no C compiler (cc, gcc or clang) on the PATH; set CC")


def _cpu_model() -> str:
    """What ``-march=native`` depends on: a home folder may be shared by machines of several kinds."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return f"{platform.machine()} {platform.processor()}"
    keys = ("model name", "flags", "Features", "CPU part")
    return platform.machine() + "".join(sorted({line for line in lines if line.startswith(keys)}))


def _cache_folder() -> Path:
    """A folder of this user's that can be written to."""
    try:
        folder = Path(os.environ.get("CGC_VIDEO_CACHE") or "~/.cache/cgc_video").expanduser()
        folder.mkdir(parents=True, exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder
    except (OSError, RuntimeError):  # RuntimeError: no home folder
        pass
    folder = Path(tempfile.gettempdir()) / f"cgc_video-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:  # others could have put a library there
        return Path(tempfile.mkdtemp(prefix="cgc_video-"))
    return folder
