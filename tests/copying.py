"""A copy of the repository to build in, so that a test leaves the checkout alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from binenc.profile import ROOT

MADE = {".venv", "_build", "data", ".git", ".snakemake", "__pycache__"}
"""Folders that are no part of the repository."""


def files() -> list[str]:
    """Tracked and new files; all that are not made where git does not know, as in an archive."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=ROOT, capture_output=True, text=True)
    if found.returncode == 0:
        return found.stdout.split("\0")
    paths = (path.relative_to(ROOT) for path in ROOT.rglob("*"))
    return [str(path) for path in paths if not MADE & set(path.parts)]


def copy_repository(target: Path) -> Path:
    """Copy the repository's files, without results."""
    for name in files():
        if name and (ROOT / name).is_file() and not name.startswith("results/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def environment(copy: Path, **more: str) -> dict[str, str]:
    """What a command in the copy needs to run this Python, with the copy's own package."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return os.environ | {"PATH": path, "PYTHONPATH": str(copy)} | more


def sh(copy: Path, script: str, **more: str) -> str:
    """Run a script in the copy; what it printed, an error where it failed."""
    return succeeded(_run(copy, ["bash", "-euc", script], more)).stdout


def try_make(copy: Path, *words: str, **more: str) -> subprocess.CompletedProcess:
    """Run make in the copy."""
    return _run(copy, ["make", *words], more)


def make(copy: Path, *words: str, **more: str) -> str:
    """Run make in the copy; what it said, an error where it failed."""
    done = succeeded(try_make(copy, *words, **more))
    return done.stdout + done.stderr


def succeeded(done: subprocess.CompletedProcess) -> subprocess.CompletedProcess:
    assert done.returncode == 0, f"{done.args}\n{done.stdout}{done.stderr}"
    return done


def _run(copy: Path, words: list[str], more: dict[str, str]) -> subprocess.CompletedProcess:
    env = environment(copy, **more)
    return subprocess.run(words, cwd=copy, env=env, capture_output=True, text=True, timeout=1200)
