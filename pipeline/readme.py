"""Write the table of verdicts into README.md, between its two markers, and the figure beside it.

``python -m pipeline.readme PROFILE ...``
"""

import re
import shutil
import sys
from pathlib import Path

import pandas as pd

from binenc import claim_pages, hypercube, judging, study
from binenc.command import command
from binenc.figures import slug
from binenc.profile import ROOT, InputError

MARKERS = re.compile(r"(<!-- verdicts:.*?-->\n).*?(<!-- /verdicts -->)", re.S)
CLOSED = "<details><summary>{}</summary>\n\n{}\n\n</details>"


def write(readme: Path, table: str) -> None:
    """Put the table in place of what is between the markers."""
    text, n = MARKERS.subn(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", readme.read_text())
    if n != 1:
        raise InputError(
            f"{readme} has no place for the verdicts: <!-- verdicts: ... --> and <!-- /verdicts -->"
        )
    readme.write_text(text)


def folded(verdicts: pd.DataFrame) -> list[str]:
    """The table of each source as Markdown; all but the first open on a click."""
    tables = {s: claim_pages.table_markdown(part) for s, part in verdicts.groupby("source", sort=False)}
    first, *others = tables
    return [tables[first], *(CLOSED.format(f"The same claims, {s}", tables[s]) for s in others)]


def main(names: list[str]) -> None:
    found = study.read(names)
    if lacking := set(names) - set(found.profiles):
        raise InputError(f"{', '.join(sorted(lacking))}: no record to judge by; `make book` makes some")
    runs = found.runs[names[0]]
    drawn = [slug("emergence", names[0], run.experiment_name, run.protocol_name) for run in runs]
    figures = [list(ROOT.glob(f"_build/chapters/*/figures/{name}.svg")) for name in dict.fromkeys(drawn)]
    if not any(figures):
        raise InputError(
            f"_build/chapters has no figure {drawn[0]}: `make report PROFILE={names[0]}` draws it"
        )
    judged = judging.judge(found)
    first, *others = folded(judging.to_frame(judged))
    numbers = CLOSED.format("Numbers of what else is recorded", claim_pages.elsewhere(judged))
    found_items = claim_pages.findings(judged), hypercube.beyond(study.read(names, variants=True))
    head = claim_pages.headline(judged), *study.gaps(found), first, "\n".join(found_items)
    write(ROOT / "README.md", "\n\n".join([*head, *others, numbers]))
    newest = max(next(filter(None, figures)), key=lambda path: path.stat().st_mtime)
    shutil.copy(newest, ROOT / ".github/emergence.svg")


if __name__ == "__main__":
    command(lambda: main(sys.argv[1:]))
