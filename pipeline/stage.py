"""Stage the book: executed pages in the places of their sources, and pages made from the records."""

import importlib.metadata
import json
import re
import shutil
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape
from pathlib import Path

import nbformat
import yaml
from nbformat.v4 import new_markdown_cell

from binenc import records
from binenc.choice import choose
from binenc.profile import ROOT, Profile, Run
from binenc.provenance import git, version
from binenc.text import evidence
from binenc.text.words import counted
from pipeline import appendix, cores, kept

BUILD = ROOT / "_build"
STAGE = BUILD / "stage"

LINE = "⟦report⟧"
"""Where a page will say of which report it is: filled in at last, as it changes with every commit."""


@dataclass(frozen=True)
class Page:
    """The executed page of one run, and the record it shows."""

    profile: Profile
    run: Run
    path: Path
    record: records.Record

    @property
    def name(self) -> str:
        """Of the page in the book, without suffix."""
        return f"book/runs/{self.profile.name}/{self.run.id}"

    @property
    def command(self) -> str:
        """What executes the page again, and reads the record as long as it is current."""
        r = self.run
        return (
            f"make run PROFILE={self.profile.name} EXPERIMENT={r.experiment_name} "
            f"PROTOCOL={r.protocol_name} ARCH={r.architecture} SEED={r.seed}"
        )

    @property
    def check(self) -> str:
        """What trains the run again, and compares."""
        return f"make verify PROFILE={self.profile.name} RUN={self.run.id}"


def stage(live: str, shown: list[str]) -> None:
    """Lay out in `STAGE` all that the book is built from, and ``line.txt``, which is to stand for `LINE`."""
    before = kept.set_aside(STAGE)
    shutil.copytree(ROOT / "book", STAGE / "book", ignore=shutil.ignore_patterns("*.ipynb", ".*"))
    for drawn in (BUILD / "figures", BUILD / "chapters" / live / "figures"):
        if not drawn.is_dir():
            raise SystemExit(f"{drawn} is gone: make clean, then make book draws it again")
        shutil.copytree(drawn, STAGE / "figures", dirs_exist_ok=True)
    shutil.copy(mathjax(), STAGE / "book/_static/mathjax.js")
    for name in ("LICENSE", "CITATION.cff"):
        shutil.copy(ROOT / name, STAGE)
    shutil.copytree(ROOT / "profiles", STAGE / "profiles", ignore=shutil.ignore_patterns(".*"))
    (STAGE / "sources").mkdir()
    for source in (ROOT / "book").glob("[!.]*.ipynb"):
        shutil.copy(source, STAGE / "sources")

    profiles = [Profile.read(name) for name in shown]
    pages = [page for profile in profiles for page in run_pages(profile)]
    chapters = sorted((BUILD / "chapters" / live).glob("[!.]*.ipynb"))
    chapters = [path for path in chapters if (ROOT / "book" / path.name).exists()]
    (STAGE / "line.txt").write_text(report_line(profiles, pages))
    for path in chapters:
        stage_chapter(path)
    with ProcessPoolExecutor(cores()) as pool:
        list(pool.map(stage_run, pages, chunksize=8))
    appendix.write(STAGE, pages, chapters, live)
    for text in (STAGE / "book").rglob("*.md"):
        text.write_text(f"{text.read_text()}\n{foot(LINE)}\n")
    configure(STAGE, profiles, pages)
    kept.write_frame(STAGE)
    kept.carry_over(before, STAGE)


def run_pages(profile: Profile) -> list[Page]:
    """The pages of a profile that have a current record."""
    found = []
    for run in profile.all_runs():
        path, record = BUILD / "pages" / profile.name / f"{run.id}.ipynb", records.find(profile, run)
        if path.exists() and record:
            found.append(Page(profile, run, path, record))
    return found


def stage_chapter(path: Path) -> None:
    """Copy an executed chapter; code goes behind a toggle, on the landing page out of sight."""
    page = nbformat.read(path, as_version=4)
    tag_code(page, "remove-input" if path.stem == "intro" else "hide-input")
    drop_empty(page)
    link_pages(page)
    page.cells.append(new_markdown_cell(foot(LINE, path.name, f"book/{path.stem}"), id="provenance"))
    nbformat.write(page, STAGE / "book" / path.name)


def stage_run(page: Page) -> None:
    """Copy the page of a run; its title says which run."""
    content, made = nbformat.read(page.path, as_version=4), page.record.run
    heading = next(c for c in content.cells if c.cell_type == "markdown" and c.source.startswith("# "))
    rest = heading.source.partition("\n")[2]
    heading.source = f"# {page.run.title}\n{rest}"
    tag_code(content, None)
    content.metadata["nosearch"] = True  # a word that all runs have would find nothing else; their lists stay
    line = (
        f"Profile {page.profile.name} · trained {made['date'][:10]} from commit "
        f"{version(made['commit'], made['dirty'])} on {made['device']} in {made['wall_seconds']:.0f} s "
        f"· draw again: `{page.command}` · train again and compare: `{page.check}`"
    )
    content.cells.append(new_markdown_cell(foot(line, "run.ipynb", page.name), id="provenance"))
    target = STAGE / f"{page.name}.ipynb"
    target.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(content, target)


def tag_code(page: nbformat.NotebookNode, tag: str | None) -> None:
    """Tag code cells; default parameters that papermill has overridden are not shown at all."""
    injected = any("injected-parameters" in c.metadata.get("tags", []) for c in page.cells)
    for cell in page.cells:
        if cell.cell_type == "code":
            tags = cell.metadata.setdefault("tags", [])
            superseded = injected and "parameters" in tags
            if superseded or "colab" in tags:
                tags.append("remove-cell")
            elif tag:
                tags.append(tag)


def drop_empty(page: nbformat.NotebookNode) -> None:
    """Remove outputs of Markdown that say nothing, which would show as a Python object."""
    for cell in page.cells:
        if cell.cell_type == "code":
            cell.outputs = [out for out in cell.outputs if out.get("data", {}).get("text/markdown") != ""]


def link_pages(page: nbformat.NotebookNode) -> None:
    """Let links in HTML lead to the pages of the report, as those in Markdown do, not to their notebooks."""
    for output in (output for cell in page.cells for output in cell.get("outputs", [])):
        if "text/html" in output.get("data", {}):
            said = output.data["text/html"]
            output.data["text/html"] = re.sub(r'(href="[\w-]+)\.ipynb(?=["#])', r"\1.html", said)


def foot(line: str, source: str = "", page: str = "") -> str:
    """The line at the foot of a page; a notebook is there to take along."""
    notebooks = (
        f"\n\nDownload: {{download}}`the notebook </sources/{source}>` · "
        f"{{download}}`as executed here </{page}.ipynb>`"
    )
    more = "[all pages, versions and configurations](/book/status.md)"
    return f":::{{div}} provenance\n{line} · {more}{notebooks if source else ''}\n:::"


def fill_in(pages: Path, source: Path) -> None:
    """Let pages built of a stage, and the sources that they offer, say of which report they are."""
    line = (source / "line.txt").read_text()
    said = {".html": escape(line), ".ipynb": json.dumps(line, ensure_ascii=False)[1:-1], ".md": line}
    for path in (path for path in pages.rglob("*") if path.suffix in said):
        path.write_text(path.read_text().replace(LINE, said[path.suffix]))


def report_line(profiles: list[Profile], pages: list[Page]) -> str:
    """Date and version of the report, and which records it shows, from which devices."""
    commit, changes = git("rev-parse", "HEAD"), git("status", "--porcelain")
    made = []
    for p in profiles:
        own = [page.record.run["device"] for page in pages if page.profile is p]
        made.append(f"{p.name} ({counted(len(own), 'record')}, {'; '.join(sorted(set(own)))})")
    when = f"Report of {datetime.now(UTC):%Y-%m-%d} from commit {version(commit, bool(changes))}"
    return f"{when} · profile {', '.join(made)}"


def banner(profiles: list[Profile], pages: list[Page]) -> str:
    """What every page says first: what this report is evidence of, and what it lacks."""
    lead = profiles[0]
    if not lead.evidence:
        return (
            "<strong>Smoke test, no evidence.</strong> These runs are too short to mean anything; "
            "<code>make book</code> makes a report."
        )
    named, *others = (f"<strong>{p.title}</strong> ({p.origin})" for p in profiles)
    said = f"{named}: {escape(lead.about, quote=False)}"
    have = {page.run.id: page.run for page in pages if page.profile.name == lead.name}
    if lack := [run for run in choose([lead.name])[lead.name] if run.id not in have]:
        said += f" No records yet: {evidence.lacking(list(have.values()), lack)}"
        said += "; <code>make paper</code> trains them." if lead.name == "paper" else "."
    if others:
        said += f" Shown separately: {' and '.join(others)}."
    if lead.name != "paper":
        said += " At full scale: <code>make paper</code>."
    return said


def configure(stage: Path, profiles: list[Profile], pages: list[Page]) -> None:
    """Write _config.yml with the banner, and _toc.yml with the pages of the runs."""
    config = yaml.safe_load((ROOT / "_config.yml").read_text())
    config["html"]["announcement"] = banner(profiles, pages)
    if not config["repository"]["url"]:
        del config["launch_buttons"]
    (stage / "_config.yml").write_text(yaml.safe_dump(config))

    toc = yaml.safe_load((ROOT / "_toc.yml").read_text())
    entries = [entry for part in toc["parts"] for entry in part["chapters"]]
    runs = next(entry for entry in entries if entry["file"] == "book/runs/index")
    runs["sections"] = [
        {"file": group, "sections": [{"file": page.name} for page in members]}
        for group, members in appendix.groups(pages).items()
    ]
    (stage / "_toc.yml").write_text(yaml.safe_dump(toc, sort_keys=False))


def mathjax() -> Path:
    """The one file of the installed package sphinx-mathjax-offline that the pages need."""
    files = importlib.metadata.files("sphinx-mathjax-offline") or []
    return next(Path(f.locate()) for f in files if f.name == "tex-svg-full.js")
