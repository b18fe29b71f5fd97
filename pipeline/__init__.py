"""What makes the report out of the package and the notebooks: papermill, jupyter-book, and checks."""

import os
import sys

# jsonschema, by which nbformat validates, first compiles a grammar of international web addresses, if its
# package is installed: two seconds of every page, and no notebook holds such an address.
sys.modules.setdefault("rfc3987_syntax", None)


def cores() -> int:
    """As many as make was given, else all."""
    return int(os.environ.get("CORES") or os.cpu_count())
