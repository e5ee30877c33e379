# Sourced by quickstart.sh and run_tests.sh: makes .venv with the pinned set if it is not there yet, and activates it.
# PYTHON names the interpreter to make it with (default: python3).
python="${PYTHON:-python3}"
"$python" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] < (3, 13))' || {
    echo "$("$python" --version) will not do: Python 3.10, 3.11 or 3.12 is needed; name one with PYTHON=python3.11." >&2
    exit 2
}
[ -x .venv/bin/python ] || "$python" -m venv .venv
. .venv/bin/activate
# What the environment was made from; it is made again when that changes.
recipe=$(cat pyproject.toml requirements/constraints.txt | cksum)
if [ "$(cat .venv/recipe 2>/dev/null)" != "$recipe" ]; then
    echo "Installing the pinned set into .venv ..."
    python -m pip install -q -c requirements/constraints.txt torch
    python -m pip install -q -c requirements/constraints.txt setuptools
    python -m pip install -q -c requirements/constraints.txt --no-build-isolation -e '.[test]'
    # OpenCV's ordinary wheels need a display library; where there is none, the headless build of the same version serves.
    if ! python -c 'import cv2' 2>/dev/null; then
        version=$(sed -n 's/^opencv-contrib-python==//p' requirements/constraints.txt)
        python -m pip install -q --no-deps --force-reinstall "opencv-contrib-python-headless==$version"
    fi
    echo "$recipe" >.venv/recipe
fi
