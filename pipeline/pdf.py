"""One PDF of the report that was built last: a single page of HTML, printed by Chromium."""

import os
import shutil
import subprocess
import sys

from binenc.commands import command
from binenc.profile import InputError
from binenc.text.words import duration
from pipeline.report import build
from pipeline.stage import BUILD, STAGE, fill_in

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
)
MOST = 1800
"""Seconds that printing may take: a thousand pages took six minutes on two cores."""


def main() -> None:
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if chromium is None:
        raise InputError(f"make pdf needs a browser: one of {', '.join(BROWSERS)}, or CHROMIUM=path")
    if shutil.which(chromium) is None:
        raise InputError(f"CHROMIUM {chromium!r}: no such program")
    if not (STAGE / "_toc.yml").exists():
        raise InputError("make pdf prints what `make book` has made: run that first")
    pages = build("singlehtml")
    fill_in(pages, STAGE)
    whole = pages / "whole.html"  # its links to images start where the pages do
    shutil.copy(pages / "book/intro.html", whole)
    pdf = BUILD / "report.pdf"
    pdf.unlink(missing_ok=True)
    wait = "--virtual-time-budget=60000"
    options = [*OPTIONS.split(), wait, "--no-pdf-header-footer", f"--print-to-pdf={pdf}"]
    try:
        done = subprocess.run(
            [chromium, *options, whole.as_uri()], capture_output=True, text=True, timeout=MOST
        )
    except subprocess.TimeoutExpired:
        sys.exit(f"{chromium} did not print within {duration(MOST)}: CHROMIUM=path names another browser")
    if done.returncode or not pdf.exists():
        sys.exit(f"{chromium} did not print:\n{done.stderr[-2000:]}")
    print(f"pdf: {pdf}")


if __name__ == "__main__":
    command(main)
