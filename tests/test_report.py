"""The check of a built book sees each way in which a book can be broken."""

import importlib.metadata
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from binenc.profile import InputError, Profile
from pipeline import book, check, report, stage
from pipeline.launch import cell_source, configure

FIGURE = "```{figure} /figures/a.svg\n:name: fig-a_b\n\nCaption\n```"
PAGE = """<html><body><h1 id="top">Page</h1><img id="fig-a-b" src="_images/a.svg" alt="a"/>
<a href="#top">up</a> <a href="b.html#there">b</a> <a href="_downloads/a.csv" download>CSV</a>
<a href="https://example.org/not-looked-at">out</a></body></html>"""


@pytest.fixture
def built(tmp_path) -> tuple[Path, Path]:
    """A stage with two pages, and the HTML that was built from it."""
    source, html = tmp_path / "stage", tmp_path / "html"
    for folder in (source, html / "_images", html / "_downloads", html / "_static"):
        folder.mkdir(parents=True)
    (source / "_toc.yml").write_text("format: jb-book\nroot: a\nparts:\n- chapters:\n  - file: b\n")
    output = new_output("display_data", {"text/markdown": FIGURE})
    cells = [new_markdown_cell("# Page"), new_code_cell("1", execution_count=1, outputs=[output])]
    nbformat.write(new_notebook(cells=cells), source / "a.ipynb")
    (html / "a.html").write_text(PAGE)
    (html / "b.html").write_text('<h1 id="there">B</h1>')
    (html / "_images/a.svg").write_text("<svg/>")
    (html / "_downloads/a.csv").write_text("x\n1\n")
    (html / "_static/template.html").write_text('<a href="{{ not a page }}"></a>')
    return source, html


def change(page: Path, **changes) -> None:
    content = nbformat.read(page, as_version=4)
    content.cells[1].update(changes)
    nbformat.write(content, page)


def test_whole_book_has_no_problem(built):
    assert check.problems(*built) == []


BREAKS = {
    "no HTML page": lambda source, html: (html / "b.html").unlink(),
    "code cell 0 did not run": lambda source, html: change(
        source / "a.ipynb", execution_count=None, outputs=[]
    ),
    "code cell 0 ended in an error": lambda source, html: change(
        source / "a.ipynb", outputs=[new_output("error", ename="E", evalue="", traceback=[])]
    ),
    "_images/a.svg does not exist": lambda source, html: (html / "_images/a.svg").unlink(),
    "_downloads/a.csv does not exist": lambda source, html: (html / "_downloads/a.csv").unlink(),
    "b.html#there points at nothing": lambda source, html: (html / "b.html").write_text("<h1>B</h1>"),
    "#top points at nothing": lambda source, html: (html / "a.html").write_text(
        PAGE.replace('id="top"', 'id="bottom"')
    ),
    "1.1 MB of HTML": lambda source, html: (html / "b.html").write_text(
        f'<h1 id="there">{"x" * 1_100_000}</h1>'
    ),
    "the report has": lambda source, html: (html / "large.bin").write_bytes(bytes(check.max_report(0) + 1)),
}


@pytest.mark.parametrize("said", BREAKS)
def test_each_break_is_seen(built, said):
    BREAKS[said](*built)
    assert any(said in line for line in check.problems(*built))


def test_all_pages_of_a_table_of_contents_are_looked_for(built):
    source, html = built
    (source / "_toc.yml").write_text(
        "format: jb-book\nroot: r\nparts:\n- caption: P\n  chapters:\n  - file: c\n    sections:\n"
        "    - file: s\n      sections: [{file: t}]\n- caption: Q\n  chapters: [{file: q}]\n"
    )
    missing = [line.partition(":")[0] for line in check.problems(source, html) if "no HTML page" in line]
    assert missing == ["r", "c", "s", "t", "q"]


def test_mathjax_is_the_installed_file():
    assert stage.mathjax().stat().st_size > 2_000_000


@pytest.mark.parametrize("url", ["", "https://github.com/owner/name"])
def test_launch_buttons_are_there_when_the_address_is(tmp_path, monkeypatch, url):
    text = (stage.ROOT / "_config.yml").read_text()
    (tmp_path / "_config.yml").write_text(re.sub(r'^  url: ".*"$', f'  url: "{url}"', text, flags=re.M))
    shutil.copy(stage.ROOT / "_toc.yml", tmp_path)
    (tmp_path / "stage").mkdir()
    monkeypatch.setattr(stage, "ROOT", tmp_path)
    stage.configure(tmp_path / "stage", [Profile.read("smoke")], [])
    config = yaml.safe_load((tmp_path / "stage/_config.yml").read_text())
    assert ("launch_buttons" in config) == bool(url)
    assert "no evidence" in config["html"]["announcement"]


@pytest.mark.parametrize(
    ("page", "opened"),
    [("book/binarity", "book/binarity.ipynb"), ("book/runs/smoke/a/b/seed-0", "book/run.ipynb")],
)
def test_launch_buttons_open_the_source_notebook(page, opened):
    colab = "https://colab.research.google.com/github/owner/name/blob/main/"
    download = {"label": "download-source-button", "url": f"../_sources/{page}.ipynb", "text": ".ipynb"}
    context = {
        "header_buttons": [{"buttons": [{"url": f"{colab}{page}.ipynb"}, download]}, {"label": "other"}]
    }
    book.finish_buttons(None, page, "", context, None)
    assert context["header_buttons"][0]["buttons"][0]["url"] == colab + opened
    assert download["url"] == f"../_sources/{page}.ipynb"
    assert download["text"] == "executed .ipynb"


def test_banner_says_what_a_report_is_evidence_of():
    smoke, quick, paper = map(Profile.read, ("smoke", "quick", "paper"))
    assert "no evidence" in stage.banner([smoke], [])
    pages = [stage.Page(quick, run, Path(), None) for run in quick.all_runs()]
    alone = stage.banner([quick], pages)
    assert quick.about in alone
    assert "make paper" in alone
    assert "No records yet" not in alone
    both = stage.banner([paper, quick], [stage.Page(paper, paper.all_runs()[0], Path(), None), *pages])
    rest = "linear penultimate, non-linear penultimate, no penultimate"
    lack = f"MNIST as written, seeds 0 ({rest}), 1, 2; MNIST as released; all of FashionMNIST; "
    assert f"No records yet: {lack}" in both
    assert "; <code>make paper</code> trains them." in both
    assert both.index("Paper</strong> (recorded)") < both.index("Quick</strong> (trained afresh)")
    whole = [stage.Page(paper, run, Path(), None) for run in paper.all_runs()]
    assert "make paper" not in stage.banner([paper, quick], [*whole, *pages])


class TestLaunch:
    """`make launch URL=...` on a copy."""

    @pytest.fixture
    def copy(self, tmp_path) -> Path:
        root = tmp_path / "copy"
        shutil.copytree(stage.ROOT / "book", root / "book")
        shutil.copy(stage.ROOT / "_config.yml", root)
        return root

    def test_notebooks_fetch_the_repository_in_one_cell(self, copy):
        for end in ("", ".git", "/"):  # a second time changes nothing
            configure(copy, f"https://github.com/owner/name{end}")
        assert 'url: "https://github.com/owner/name"' in (copy / "_config.yml").read_text()
        for path in (copy / "book").glob("*.ipynb"):
            page = nbformat.read(path, as_version=4)
            nbformat.validate(page)
            tags = [cell.metadata.get("tags", []) for cell in page.cells if cell.cell_type == "code"]
            assert tags[:2] == [["parameters"], ["colab"]], path
            assert sum("colab" in tag for tag in tags) == 1, path
            assert not any(c.get("outputs") for c in page.cells)

    def test_a_notebook_without_parameters_stays_as_it_is(self, copy):
        own = copy / "book/Untitled.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1 + 1")]), own)
        before = own.read_text()
        configure(copy, "https://github.com/owner/name")
        assert own.read_text() == before
        assert 'url: "https://github.com/owner/name"' in (copy / "_config.yml").read_text()

    def test_where_binenc_is_at_hand_the_cell_does_nothing(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        exec(cell_source("https://github.com/owner/name"), {})
        assert list(tmp_path.iterdir()) == []

    def test_where_it_is_not_the_cell_fetches_it_once(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
        fetched = []
        monkeypatch.setattr(subprocess, "run", lambda words, check: fetched.append(Path(words[-1]).mkdir()))
        for _ in range(2):
            monkeypatch.setattr(sys, "path", [])
            exec(cell_source("https://github.com/owner/name"), {})
            assert sys.path == ["binenc-main"]
        assert len(fetched) == 1

    @pytest.mark.parametrize(
        "url", ["", "github.com/owner/name", "https://example.org/x", "https://github.com/o/n'x"]
    )
    def test_other_addresses_are_refused(self, copy, url):
        before = (copy / "_config.yml").read_text()
        with pytest.raises(InputError, match="owner/name"):
            configure(copy, url)
        assert (copy / "_config.yml").read_text() == before


def test_a_figure_of_another_page_is_missed_on_its_own(built):
    (built[1] / "a.html").write_text("<h1>Page</h1>")
    (built[1] / "b.html").write_text('<h1 id="there">B</h1><p id="fig-a-b"></p>')
    assert any("figure fig-a_b is not on the page" in line for line in check.problems(*built))


def test_links_start_where_their_page_lies(built):
    deep = built[1] / "deep/c.html"
    deep.parent.mkdir()
    deep.write_text('<a href="../b.html?v=1#there">b</a>')
    assert check.problems(*built) == []
    deep.write_text('<a href="b.html#there">b</a>')
    assert check.problems(*built) == ["deep/c.html: b.html#there does not exist"]


def test_a_report_of_more_runs_may_be_larger(built):
    source, html = built
    (html / "large.bin").write_bytes(bytes(check.max_report(1)))
    runs = source / "book/runs/smoke/a/b"
    runs.mkdir(parents=True)
    (runs / "index.md").touch()
    assert check.problems(*built) == ["the report has 11.0 MB, more than 10 MB"]
    (runs / "seed-0.ipynb").touch()
    (runs / "seed-1.ipynb").touch()
    assert check.problems(*built) == []


def test_a_report_with_a_problem_does_not_take_the_place_of_the_last(built, tmp_path, monkeypatch):
    (source, html), shown = built, tmp_path / "_build/html/a.html"
    (html / "a.html").write_text(f"{PAGE} {stage.LINE}")
    shown.parent.mkdir(parents=True)
    shown.write_text("the last")
    found = ["b: no HTML page", "c: no HTML page"]
    monkeypatch.setattr(sys, "argv", ["report", "smoke", "smoke"])
    for name, new in {"STAGE": source, "BUILD": tmp_path / "_build", "build": lambda: html}.items():
        monkeypatch.setattr(report, name, new)
    monkeypatch.setattr(report, "stage", lambda *_: (source / "line.txt").write_text("this report"))
    monkeypatch.setattr(report, "problems", lambda stage, html: found)
    with pytest.raises(SystemExit, match="not complete:\n  b: no HTML page\n  c: no HTML page"):
        report.main()
    assert (shown.read_text(), (source / "complete").exists()) == ("the last", False)
    found.clear()
    report.main()
    assert (shown.read_text(), (source / "complete").exists()) == (f"{PAGE} this report", True)


def test_the_check_by_itself_fails_with_a_line_for_each_problem(built, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["check", *map(str, built)])
    with pytest.raises(SystemExit) as whole:
        check.main()
    (built[1] / "b.html").unlink()
    with pytest.raises(SystemExit) as broken:
        check.main()
    said = "b: no HTML page\na.html: b.html#there does not exist"
    assert (whole.value.code, broken.value.code) == (None, said)
