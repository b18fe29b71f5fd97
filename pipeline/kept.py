"""What the last book leaves to the next: only pages that changed are read and written again.

Sphinx tells by the time of a file whether it changed. What is staged is always new, so a file that has
stayed the same gets the time of its predecessor, and any other the present time.
"""

import filecmp
import os
import shutil
import sys
import sysconfig
import time
from pathlib import Path

from binenc.profile import ROOT

COMPLETE = "complete"
"""The file that marks a stage whose book was built, checked and put in place."""
FRAME = "frame.txt"
"""The file of a stage that says what, beside its other files, shapes every page."""


def set_aside(stage: Path) -> Path:
    """Move a complete stage out of the way and say where it is; remove one that is not."""
    old = stage.with_name(f"{stage.name}.old")
    shutil.rmtree(old, ignore_errors=True)
    if (stage / COMPLETE).exists():
        stage.rename(old)
    shutil.rmtree(stage, ignore_errors=True)
    return old


def write_frame(stage: Path) -> None:
    """Write down the versions of all packages, and the extension that is no package."""
    packages = sorted(path.name for path in Path(sysconfig.get_path("purelib")).glob("*-info"))
    extension = (ROOT / "pipeline/book.py").read_text()
    (stage / FRAME).write_text("\n".join([sys.version, *packages, extension]))


def carry_over(old: Path, new: Path) -> None:
    """Give a stage what was made of the old one, unless what shapes every page is another."""
    if old.exists() and frame(old) == frame(new):
        (old / "_build").rename(new / "_build")
        for path in files(new):
            before = old / path
            same = before.is_file() and filecmp.cmp(before, new / path, shallow=False)
            seconds = before.stat().st_mtime_ns if same else time.time_ns()
            os.utime(new / path, ns=(seconds, seconds))
    shutil.rmtree(old, ignore_errors=True)


def frame(stage: Path) -> dict[str, bytes]:
    """What shapes every page: configuration, contents, styles, references, packages."""
    shared = [stage / "_config.yml", stage / "_toc.yml", stage / FRAME, *stage.glob("book/*.bib")]
    shared += (path for path in stage.glob("book/_static/**/*") if path.is_file())
    return {str(path.relative_to(stage)): path.read_bytes() for path in shared}


def files(stage: Path) -> list[Path]:
    """What is staged, relative to the stage: all but what the book was built to."""
    found = (path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    return [path for path in found if path.parts[0] != "_build"]
