"""Write the table of verdicts into README.md, between its two markers, and the figure beside it.

``python -m pipeline.readme PROFILE ...``
"""

import re
import shutil
import sys
from pathlib import Path

from binenc import claims, study
from binenc.claims import front
from binenc.commands import command
from binenc.figures import slug
from binenc.profile import ROOT, InputError
from binenc.text import evidence

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
    judged = claims.judge(found)
    verdicts = claims.to_frame(judged)
    first = verdicts.source == verdicts.source[0]
    said = [
        *evidence.gaps(found),
        claims.table_markdown(verdicts[first]),
        *filter(None, [claims.tally(verdicts[~first])]),
        front.findings(found, study.read(names, variants=["experiment", "protocol"])),
        CLOSED.format("The numbers behind these verdicts", front.numbers(judged)),
    ]
    if not first.all():
        items = front.elsewhere(judged), front.at_length(found, judged)
        others = claims.table_markdown(verdicts[~first]), *filter(None, items)
        said.append(CLOSED.format("Shorter and smaller runs", "\n\n".join(others)))
    write(ROOT / "README.md", "\n\n".join(said))
    newest = max(next(filter(None, figures)), key=lambda path: path.stat().st_mtime)
    shutil.copy(newest, ROOT / ".github/emergence.svg")


if __name__ == "__main__":
    command(lambda: main(sys.argv[1:]))
