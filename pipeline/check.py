"""What a green build can hide: missing pages, cells that did not run, errors, broken local links."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat


class _Links(HTMLParser):
    def __init__(self):
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag, attributes):
        self.links += [value for name, value in attributes if name in ("src", "href") and value]


def problems(stage: Path, html: Path) -> list[str]:
    """One line for each thing that is missing or broken in a built book."""
    found = []
    for page in sorted((stage / "book").rglob("*.ipynb")):
        name = page.relative_to(stage)
        if not (html / name).with_suffix(".html").exists():
            found.append(f"{name}: no HTML page")
        for i, cell in enumerate(c for c in nbformat.read(page, as_version=4).cells if c.cell_type == "code"):
            if cell.source.strip() and cell.execution_count is None:
                found.append(f"{name}: code cell {i} did not run")
            if any(output.output_type == "error" for output in cell.outputs):
                found.append(f"{name}: code cell {i} ended in an error")
    for page in sorted(html.rglob("*.html")):
        parser = _Links()
        parser.feed(page.read_text())
        for link in set(parser.links):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or not parts.path:
                continue
            target = (page.parent / unquote(parts.path)).resolve()
            if not target.exists():
                found.append(f"{page.relative_to(html)}: {link} does not exist")
    return found
