"""What tools say before the package is loaded."""

import subprocess
import sys


def test_outside_the_environment_the_package_that_is_missing_is_named(repository):
    command = [sys.executable, "-S", str(repository / "tools" / "train.py"), "config.py"]  # without site-packages
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(
        f"error: this Python ({sys.executable}) has no package torch; take the project's environment"
    )
    assert done.stderr.count("\n") == 1


def test_a_defect_keeps_its_traceback(repository):
    guard = repository / "cgc_video" / "engine" / "guards" / "loading.py"
    code = f"import runpy; runpy.run_path({str(guard)!r}); raise ValueError('ours')"
    done = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "ValueError: ours" in done.stderr
