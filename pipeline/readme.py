"""Write the table of verdicts into README.md, between its two markers.

``python -m pipeline.readme PROFILE ...``
"""

import re
import sys
from pathlib import Path

from binenc import claim_pages, claims, study
from binenc.profile import ROOT

MARKERS = re.compile(r"(<!-- verdicts:.*?-->\n).*?(<!-- /verdicts -->)", re.S)


def write(readme: Path, table: str) -> None:
    """Put the table in place of what is between the markers."""
    text, n = MARKERS.subn(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", readme.read_text())
    if n != 1:
        sys.exit(f"{readme} has no place for the verdicts: <!-- verdicts: ... --> and <!-- /verdicts -->")
    readme.write_text(text)


if __name__ == "__main__":
    write(ROOT / "README.md", claim_pages.table_markdown(claims.verdicts(study.read(sys.argv[1:]))))
