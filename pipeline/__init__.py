"""What makes the report out of the package and the notebooks: papermill, jupyter-book, and checks."""

import sys

# jsonschema, by which nbformat validates, would first compile the grammar of international web addresses, where the
# package for it is installed: two seconds of every page, and no notebook has such an address to validate.
sys.modules.setdefault("rfc3987_syntax", None)
