"""The pages that are made from the records: the table of all runs, a page a group of runs, the status."""

import importlib.metadata
import json
import os
import platform
from pathlib import Path

import yaml

from binenc import records
from binenc.profile import ARCHITECTURES
from binenc.provenance import version
from binenc.text.words import counted, markdown_table, number
from pipeline import speed

FINAL = {
    "Test accuracy": ("accuracy", "test"),
    "Train accuracy": ("accuracy", "train"),
    "Whole-code share": ("code_share", "train"),
    "Distinct codebook rows": ("distinct_codebook_rows", "train"),
    "Peak std": ("std", "train"),
    "Tr(Sw Sb⁺)/C": ("tr_sw_sb", "train"),
}
"""Final numbers of a run that the tables show: header -> metric, split."""

SECONDS, MEMORY = "Seconds", "Memory (MiB)"

PACKAGES = ["torch", "numpy", "scipy", "pandas", "scikit-learn", "matplotlib", "jupyter-book", "papermill"]


def groups(pages: list) -> dict[str, list]:
    """Pages of runs by the name of the page of their experiment and protocol."""
    found = {}
    for page in pages:
        name = f"book/runs/{page.profile.name}/{page.run.experiment_name}/{page.run.protocol_name}/index"
        found.setdefault(name, []).append(page)
    return found


def write(stage: Path, pages: list, chapters: list[Path], live: str) -> None:
    """Write all generated pages into the staged book."""
    for name, members in groups(pages).items():
        title = members[0].run.group
        profile = members[0].profile
        about = f"Profile {profile.title}. {profile.about}"
        text = f"# {title}\n\n{about}\n\n{table(members, 'Runs of this group.')}"
        (stage / f"{name}.md").parent.mkdir(parents=True, exist_ok=True)
        (stage / f"{name}.md").write_text(text)
    index = stage / "book/runs/index.md"
    legend = "Every run with its numbers after the last epoch. A click on a header sorts."
    index.write_text(f"{index.read_text()}\n{table(pages, legend)}")
    (stage / "book/status.md").write_text(status(pages, chapters, live))
    (stage / "book/speed.md").write_text(speed.page(stage.parent))


def table(pages: list, caption: str) -> str:
    """A table of runs with links and final numbers, sortable where there is JavaScript."""
    rows = [
        {
            "Runs": page.run.group,
            "Architecture": f"[{ARCHITECTURES[page.run.architecture]}](</{page.name}.ipynb>)",
            "Seed": page.run.seed,
            **{title: final(page.record, *where) for title, where in FINAL.items()},
            "Profile": page.profile.name,
        }
        for page in pages
    ]
    return markdown(rows, caption, "sortable")


def final(record, metric: str, split: str) -> str:
    value = record.last.get((metric, split))
    return "–" if value is None else number(value, 4)


def markdown(rows: list[dict[str, object]], caption: str, kind: str) -> str:
    """A table with its caption; numbers that are measured are flush right."""
    lines = markdown_table(rows[0], (row.values() for row in rows), right={*FINAL, SECONDS, MEMORY})
    return f":::{{table}} {caption}\n:class: {kind}\n\n{lines}\n:::\n"


def status(pages: list, chapters: list[Path], live: str) -> str:
    """How each page was made, with what, from which data and configuration, and how to make it again."""
    made = [page.record.run for page in pages]
    parts = [
        "---\nhtml_theme.sidebar_secondary.remove: true\n---",
        "# Status\n\nHow this report was made.\n\n## Pages\n",
        markdown(
            executed(pages, chapters, live),
            "Every executed page: how long, how much, and the command that executes it again.",
            "sortable",
        ),
        "## Training\n",
        markdown(training(pages), "Every record: when, where, from which commit, how long.", "sortable"),
        "## Hardware\n",
        *(f"- {line}" for line in hardware(made)),
        "\n## Versions\n",
        markdown(versions(made), "Of this report, and of the records it shows.", "plain"),
        "## Data\n",
        markdown(data(made), "SHA-256 of the data that each record was trained on.", "plain"),
        "## Configurations\n\nEvery configuration in full, an entry for all runs that share it.\n",
        *configurations(pages),
    ]
    return "\n".join(parts)


def executed(pages: list, chapters: list[Path], live: str) -> list[dict]:
    made = [
        (
            f"[{path.stem.replace('_', ' ').capitalize()}](/book/{path.name})",
            path,
            f"make book PROFILE={live}",
        )
        for path in chapters
    ]
    made += [(f"[{page.run.title}](</{page.name}.ipynb>)", page.path, page.command) for page in pages]
    return [{"Page": link, **costs(path), "Made by": f"`{command}`"} for link, path, command in made]


def costs(path: Path) -> dict[str, str]:
    """Seconds and peak memory of an executed notebook, as papermill and pipeline.page left them."""
    made = json.loads(path.read_text())["metadata"].get("papermill", {})
    seconds, memory = made.get("duration"), made.get("memory_mib")
    return {SECONDS: f"{seconds:.1f}" if seconds else "–", MEMORY: f"{memory:.0f}" if memory else "–"}


def training(pages: list) -> list[dict]:
    return [
        {
            "Record": f"`{page.profile.name}/{page.run.id}`",
            "Date": made["date"],
            "Device": f"{made['device']}, {counted(made['threads'], 'thread')}",
            "Commit": version(made["commit"], made["dirty"]),
            SECONDS: f"{made['wall_seconds']:.1f}",
        }
        for page in pages
        for made in [page.record.run]
    ]


def hardware(made: list[dict]) -> list[str]:
    """The machine of the report, and those of the records."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    system = f"{platform.system()} {platform.machine()}"
    here = f"This report: {os.cpu_count()} CPU cores, {memory:.0f} GiB memory, {system}"
    return [here, *(f"Records: {device}" for device in sorted({m["device"] for m in made}))]


def versions(made: list[dict]) -> list[dict]:
    rows = []
    for name in ["python", *PACKAGES]:
        here = platform.python_version() if name == "python" else importlib.metadata.version(name)
        there = sorted({m["versions"][name] for m in made if name in m["versions"]})
        rows.append({"Package": name, "Report": here, "Records": ", ".join(there) or "–"})
    return rows


def data(made: list[dict]) -> list[dict]:
    sums = sorted({(m["configuration"]["experiment"]["dataset"], str(m["data_checksum"])) for m in made})
    return [{"Dataset": name, "SHA-256": f"`{value}`"} for name, value in sums]


def configurations(pages: list) -> list[str]:
    """A fold for each different configuration, of older records too with all fields that there are now."""
    found = {}
    for page in pages:
        whole = records.filled(page.record.run["configuration"])
        shared = {k: v for k, v in whole.items() if k not in ("architecture", "seed")}
        title = f"{page.profile.title}: {page.run.group}"
        found.setdefault((title, yaml.safe_dump(shared, sort_keys=False)), []).append(page)
    return [
        f"::::{{dropdown}} {title}\nArchitectures {listed(p.run.architecture for p in members)}; "
        f"seeds {listed(p.run.seed for p in members)}.\n```yaml\n{text}```\n::::\n"
        for (title, text), members in found.items()
    ]


def listed(values) -> str:
    return ", ".join(str(value) for value in sorted(set(values)))
