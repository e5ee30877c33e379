"""Imports run downwards only, in the order of the rooms, and ``import cgc_video`` stays cheap."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "cgc_video"
# A room may import the rooms before it. Testing and benchmarks serve the repository, not the package.
ROOMS = [
    "errors",
    "version",
    "compat",
    "ops",
    "layers",
    "models",
    "datasets",
    "engine",
    "evaluation",
    "translation",
    "analysis",
] + ["apis", "testing", "benchmark"]
FILES = sorted(PACKAGE.rglob("*.py"))


def imported_rooms(path: Path) -> set[str]:
    """Rooms of the package that a file imports anywhere, absolutely or relatively."""
    module = ("cgc_video", *path.relative_to(PACKAGE).with_suffix("").parts)
    package = module if path.name == "__init__.py" else module
    rooms = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level]) if node.level else []
            base += node.module.split(".") if node.module else []
            names = [[*base, alias.name] for alias in node.names]
        else:
            continue
        rooms |= {name[1] for name in names if name[0] == "cgc_video" and len(name) > 1}
    return rooms & set(ROOMS)


def test_every_file_lies_in_a_known_room():
    assert {path.relative_to(PACKAGE).parts[0].removesuffix(".py") for path in FILES} <= {*ROOMS, "__init__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_run_downwards(path: Path):
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if room == "__init__":
        return
    above = set(ROOMS[ROOMS.index(room) + 1 :])
    assert imported_rooms(path) & above == set()


def test_the_package_imports_no_heavy_module_at_once():
    heavy = [
        "mmaction.models",
        "mmaction.datasets",
        "decord",
        "av",
        "matplotlib.pyplot",
        "torchvision",
        "cgc_video.models",
        "cgc_video.translation",
    ]
    code = f"import sys, cgc_video; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
