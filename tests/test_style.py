"""ruff finds nothing, and every room of the package is small."""

import subprocess
import sys

import pytest

from binenc.profile import ROOT


@pytest.mark.parametrize("command", [["check"], ["format", "--check"]], ids=["check", "format"])
def test_ruff(command):
    words = [sys.executable, "-m", "ruff", *command, "--quiet", "--no-cache", "."]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_file_of_the_package_is_over_320_lines():
    lengths = {path.name: len(path.read_text().splitlines()) for path in (ROOT / "binenc").rglob("*.py")}
    assert {name: n for name, n in lengths.items() if n > 320} == {}
