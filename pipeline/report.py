"""Stage the executed pages, build the book from them, check it, put it in place.

python -m pipeline.report LIVE PROFILE ...
"""

import shutil
import subprocess
import sys
from pathlib import Path

from binenc.commands import command
from binenc.profile import ROOT
from pipeline.check import problems
from pipeline.kept import COMPLETE
from pipeline.stage import BUILD, STAGE, fill_in, stage


def build(builder: str = "html") -> Path:
    """Build the staged book; a warning is an error."""
    (STAGE / COMPLETE).unlink(missing_ok=True)
    words = [sys.executable, "-m", "pipeline.warm", "pipeline.book", "build", str(STAGE)]
    with (BUILD / "report.log").open("w") as log:
        options = ["--builder", builder, "-W", "-n", "--keep-going", "-q"]
        done = subprocess.run([*words, *options], cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = (BUILD / "report.log").read_text().splitlines()
        said = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-5:]
        sys.exit("the book did not build:\n  " + "\n  ".join(said) + f"\n  log {BUILD / 'report.log'}")
    built = STAGE / "_build" / builder
    for unused in (*built.rglob("*.map"), *built.rglob("*.ttf")):  # for debugging; for browsers before 2018
        unused.unlink()
    return built


def main() -> None:
    live, *shown = sys.argv[1:]
    stage(live, shown)
    html = build()
    found = problems(STAGE, html)
    if found:
        sys.exit("the report is not complete:\n  " + "\n  ".join(found))
    draft = BUILD / "html.draft"
    shutil.rmtree(draft, ignore_errors=True)
    shutil.copytree(html, draft)
    fill_in(draft, STAGE)
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    draft.rename(BUILD / "html")
    (STAGE / COMPLETE).touch()


if __name__ == "__main__":
    command(main)
