"""Stage the executed pages as a mirror of the repository, build the book, check it, put it in place.

    python -m pipeline.report LIVE PROFILE ...
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from binenc import records
from binenc.profile import ROOT, Profile
from pipeline.check import problems

BUILD = ROOT / "_build"
STAGE = BUILD / "stage"


def stage(live: str, shown: list[str]) -> None:
    """Copy configuration, text, executed pages and their figures to where the book is built."""
    shutil.rmtree(STAGE, ignore_errors=True)
    notebooks = shutil.ignore_patterns("*.ipynb", ".ipynb_checkpoints")
    shutil.copytree(ROOT / "book", STAGE / "book", ignore=notebooks)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(ROOT / name, STAGE / name)
    for page in (BUILD / "chapters" / live).glob("[!.]*.ipynb"):
        if not page.stem.endswith(".failed"):
            shutil.copy(page, STAGE / "book" / page.name)
    for name in shown:
        profile = Profile.read(name)
        for run in profile.all_runs():
            page = BUILD / "pages" / name / f"{run.id}.ipynb"
            if page.exists() and records.is_current(profile, run):
                target = STAGE / "book/runs" / name / f"{run.id}.ipynb"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(page, target)
    shutil.copytree(BUILD / "figures", STAGE / "figures")


def build() -> Path:
    """Build the staged book; a warning is an error."""
    command = [sys.executable, "-m", "jupyter_book", "build", str(STAGE), "-W", "-n", "--keep-going", "-q"]
    with (BUILD / "report.log").open("w") as log:
        done = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT)
    if done.returncode:
        lines = (BUILD / "report.log").read_text().splitlines()
        said = [line for line in lines if "WARNING" in line or "ERROR" in line] or lines[-5:]
        sys.exit("the book did not build:\n  " + "\n  ".join(said) + f"\n  log {BUILD / 'report.log'}")
    return STAGE / "_build/html"


def main() -> None:
    live, *shown = sys.argv[1:]
    stage(live, shown)
    html = build()
    found = problems(STAGE, html)
    if found:
        sys.exit("the report is not complete:\n  " + "\n  ".join(found))
    shutil.rmtree(BUILD / "html", ignore_errors=True)
    os.rename(html, BUILD / "html")
    print(f"report: {BUILD / 'html' / 'index.html'}")


if __name__ == "__main__":
    main()
