"""Say where the repository lives: Colab and Binder buttons appear, and notebooks fetch it where it is not.

``python -m pipeline.launch https://github.com/owner/name``
"""

import re
import sys
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell

from binenc.commands import command
from binenc.profile import ROOT, InputError


def cell_source(url: str) -> str:
    """A cell that does nothing where binenc can be imported, and fetches the repository where it cannot."""
    return (
        "# On Colab: fetch the repository. Elsewhere this does nothing.\n"
        "import importlib.util\nimport subprocess\nimport sys\nfrom pathlib import Path\n\n"
        'if importlib.util.find_spec("binenc") is None:\n'
        '    if not Path("binenc-main").exists():\n'
        f'        clone = ["git", "clone", "-q", "--depth", "1", "{url}", "binenc-main"]\n'
        "        subprocess.run(clone, check=True)\n"
        '    sys.path.insert(0, "binenc-main")'
    )


def configure(root: Path, url: str) -> None:
    """Write the address into _config.yml, and the cell into every notebook of book/."""
    url = url.removesuffix("/").removesuffix(".git")
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", url):
        raise InputError(f"URL {url!r}: write it as https://github.com/owner/name")
    config = root / "_config.yml"
    text, n = re.subn(r'^  url: ".*"$', f'  url: "{url}"', config.read_text(), flags=re.M)
    if n != 1:
        raise InputError('_config.yml has no single line `  url: "..."` for the address')
    config.write_text(text)
    for path in sorted((root / "book").glob("[!.]*.ipynb")):
        page = nbformat.read(path, as_version=4)
        cells = [c for c in page.cells if "colab" not in c.metadata.get("tags", [])]
        fetch = new_code_cell(cell_source(url), id="colab", metadata={"tags": ["colab"]})
        first = (i for i, cell in enumerate(cells, 1) if "parameters" in cell.metadata.get("tags", []))
        if after := next(first, None):  # a reader's own notebook has none
            page.cells = [*cells[:after], fetch, *cells[after:]]
            nbformat.write(page, path)


if __name__ == "__main__":
    command(lambda: configure(ROOT, sys.argv[1] if len(sys.argv) > 1 else ""))
