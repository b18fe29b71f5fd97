"""A copy of the repository to build in, so that a test leaves the checkout alone."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from binenc.profile import ROOT


def copy_repository(target: Path) -> Path:
    """Copy tracked and new files, without results."""
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith("results/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


def sh(copy: Path, script: str, **environment: str) -> str:
    """Run a script in the copy with its own package; what it printed, an error where it failed."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "PYTHONPATH": str(copy)} | environment
    done = subprocess.run(
        ["bash", "-euc", script], cwd=copy, env=env, capture_output=True, text=True, timeout=1200
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout
