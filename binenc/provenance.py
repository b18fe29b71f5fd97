"""Where a record comes from: commit, date, device and versions."""

import functools
import os
import platform
import subprocess
from datetime import UTC, datetime

import numpy as np

from binenc.profile import ROOT


def provenance(device) -> dict:
    """Commit, date, torch's device, threads and versions."""
    import torch  # not needed to read a record

    return checkout() | {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else processor(),
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


@functools.cache
def checkout() -> dict:
    """Commit, and whether code or profiles differ from it, as they were when first asked."""
    return {
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", "binenc", "profiles")),
    }


def processor() -> str:
    """Name of the CPU."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def version(commit: str, dirty: bool) -> str:
    """A commit as a reader sees it."""
    return f"{commit[:10] or 'unknown'}{' with uncommitted changes' if dirty else ''}"


def git(*words: str) -> str:
    """What git prints, or nothing where there is no git or this is no repository, though within one."""
    here = os.environ | {"GIT_CEILING_DIRECTORIES": str(ROOT.parent)}
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, env=here, capture_output=True, text=True)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
