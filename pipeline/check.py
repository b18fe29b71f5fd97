"""What a green build can hide: missing pages and figures, cells that did not run, errors, broken local links.

python -m pipeline.check STAGE HTML
"""

import re
import sys
from concurrent.futures import ProcessPoolExecutor
from html.parser import HTMLParser
from os.path import normpath
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import nbformat
from docutils.nodes import make_id
from sphinx_external_toc.parsing import parse_toc_yaml

from pipeline import cores

MAX_PAGE = 1_000_000
"""Bytes of HTML of one page."""


def max_report(runs: int) -> int:
    """Bytes of a report with pages of so many runs."""
    return 10_000_000 + 1_000_000 * runs


class Html(NamedTuple):
    """Links and ids of one page."""

    links: set[str]
    ids: set[str]


def read(path: Path) -> Html:
    """What stands in ``src`` and ``href``, and in ``id`` and ``name``, of the page's tags."""
    page, parser = Html(set(), set()), HTMLParser()

    def note(tag, attributes):
        for name, value in attributes:
            if name in ("src", "href") and value:
                page.links.add(value)
            elif name in ("id", "name") and value:
                page.ids.add(value)

    parser.handle_starttag = note
    parser.feed(path.read_text())
    return page


def problems(stage: Path, html: Path) -> list[str]:
    """One line for each thing that is missing, broken or too large in a built book."""
    paths = [path for path in sorted(html.rglob("*.html")) if "_static" not in path.parts]
    with ProcessPoolExecutor(cores()) as pool:
        pages = dict(zip(paths, pool.map(read, paths, chunksize=8), strict=True))
    found = [
        line
        for name in parse_toc_yaml(stage / "_toc.yml")
        for line in page_problems(name, stage, html, pages)
    ]
    there = {html, *html.rglob("*")}
    found += [line for path in pages for line in link_problems(path, html, pages, there)]
    size = sum(path.stat().st_size for path in there if path.is_file())
    limit = max_report(len(list(stage.glob("book/runs/**/seed-*.ipynb"))))
    if size > limit:
        found.append(f"the report has {size / 1e6:.1f} MB, more than {limit / 1e6:.0f} MB")
    return found


def page_problems(name: str, stage: Path, html: Path, pages: dict[Path, Html]) -> list[str]:
    """A page of the table of contents: that it is there, small, executed, and has its figures."""
    built, source, found = html / f"{name}.html", stage / f"{name}.ipynb", []
    if built not in pages:
        return [f"{name}: no HTML page"]
    if built.stat().st_size > MAX_PAGE:
        found.append(f"{name}: {built.stat().st_size / 1e6:.1f} MB of HTML")
    if not source.exists():
        return found
    cells = nbformat.read(source, as_version=4).cells
    for i, cell in enumerate(cell for cell in cells if cell.cell_type == "code"):
        if cell.source.strip() and cell.execution_count is None:
            found.append(f"{name}: code cell {i} did not run")
        for output in cell.outputs:
            if output.output_type == "error":
                found.append(f"{name}: code cell {i} ended in an error")
            if "remove-cell" in cell.metadata.get("tags", []):
                continue
            for label in re.findall(r"^:name: (\S+)", output.get("data", {}).get("text/markdown", ""), re.M):
                if make_id(label) not in pages[built].ids:
                    found.append(f"{name}: figure {label} is not on the page")
    return found


def link_problems(path: Path, html: Path, pages: dict[Path, Html], there: set[Path]) -> list[str]:
    """Local links, images, scripts and downloads of a page whose target, or the place in it, is missing."""
    found = []
    for link in sorted(pages[path].links):
        parts = urlsplit(link)
        if parts.scheme or parts.netloc:
            continue
        target = Path(normpath(path.parent / unquote(parts.path))) if parts.path else path
        where = unquote(parts.fragment)
        if target not in there:
            found.append(f"{path.relative_to(html)}: {link} does not exist")
        elif where and target in pages and where not in pages[target].ids:
            found.append(f"{path.relative_to(html)}: {link} points at nothing")
    return found


def main() -> None:
    found = problems(*(Path(word).resolve() for word in sys.argv[1:3]))
    sys.exit("\n".join(found) or None)


if __name__ == "__main__":
    main()
