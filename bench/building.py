"""Seconds from `make book` to the report, in a copy of the repository that trains the quick profile."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import nbformat

from bench.timing import interleaved, row
from binenc import records
from binenc.profile import ROOT, Block, Profile, profile_names
from pipeline import cores

OWN = ("_build", "data", "node_modules", ".*")
"""What a copy leaves out, beside the records that were made here."""


def rows():
    """A build from nothing and, after it, of what a change concerns; each once, for it takes minutes."""
    live = [name for name in profile_names() if not Profile.read(name).recorded]
    with tempfile.TemporaryDirectory() as place:
        copy = Path(place, "binenc")
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*OWN, *live))
        yield measured(copy, "nothing is there yet", 180, parts)
        yield measured(copy, "nothing changed", 5)
        profile = sweep(copy)
        yield measured(copy, "1000 runs", 30, words=("plan", f"PROFILE={profile.name}"))
        yield tabulated(copy, profile)
        (copy / "profiles/sweep.yml").unlink()
        change(copy / "_config.yml")
        yield measured(copy, "the book alone is built again", None)
        chapter = copy / "book/encoding.ipynb"
        page = nbformat.read(chapter, as_version=4)
        page.cells[0].source += "\n\nAnother sentence."
        nbformat.write(page, chapter)
        yield measured(copy, "a chapter's text changed", 20)
        change(copy / "binenc/figures/style.py")
        yield measured(copy, "how figures look changed", None)


def change(path: Path) -> None:
    """Add an empty comment, which changes nothing but the file."""
    path.write_text(f"{path.read_text()}#\n")


def measured(copy: Path, part: str, goal: float | None, note=lambda copy: "", words=("book",)) -> dict:
    """The row of one `make`."""
    paths = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = os.environ | {"PATH": paths, "MAKEFLAGS": ""}  # what `make bench` was told is not for this one
    began = time.perf_counter()
    subprocess.run(["make", *words], cwd=copy, env=env, check=True, stdout=sys.stderr)
    took = time.perf_counter() - began
    goals = {"at most": goal} if goal else {}
    return {"part": f"make {words[0]}, {part}", "unit": "s", "ours": took, "goals": goals, "note": note(copy)}


def sweep(copy: Path) -> Profile:
    """A thousand runs: 25 values of gamma, ten seeds, the four architectures; also as a file of the copy."""
    gammas = [f"digits_mlp,gamma={tenths / 10}" for tenths in range(1, 26)]
    block = Block(experiments=gammas, protocols=["as_written"], seeds=list(range(10)))
    head = (copy / "profiles/quick.yml").read_text().split("\nruns:")[0]
    (copy / "profiles/sweep.yml").write_text(f"{head}\nruns:\n  - {block.model_dump_json()}\n")
    return Profile.read("quick").model_copy(update={"name": "sweep", "runs": [block]})


def tabulated(copy: Path, profile: Profile) -> dict:
    """What the table of a profile's runs takes, each with the history of one: a median of five."""
    one = copy / "results/quick/digits_mlp/as_written/binary_encoding/seed-0"
    with mock.patch.object(records, "RESULTS", copy / "results"):
        runs = profile.all_runs()
        for run in runs:
            folder = records.folder(profile, run)
            shutil.copytree(one, folder, ignore=shutil.ignore_patterns("*.safetensors"))
            made = json.loads((folder / "run.json").read_text())
            changed = {"id": run.id, "configuration": run.configuration}
            (folder / "run.json").write_text(json.dumps(made | changed))
        times = interleaved(ours=lambda: records.tabulate(profile, runs))
    shutil.rmtree(copy / "results" / profile.name)
    return row(f"The table of {len(runs)} records", "s", times, 1.0, {"at most": 5})


def parts(copy: Path) -> str:
    """Where the time went: seconds of the pages, which run side by side."""
    made = [json.loads(path.read_text()) for path in copy.glob("results/quick/**/run.json")]
    training, measuring, whole = (
        sum(run[f"{key}_seconds"] for run in made) for key in ("training", "evaluation", "wall")
    )

    def seconds(pattern: str) -> list[float]:
        return [nbformat.read(path, as_version=4).metadata.papermill.duration for path in copy.glob(pattern)]

    pages, live = seconds("_build/pages/**/seed-*.ipynb"), seconds("_build/pages/quick/**/seed-*.ipynb")
    chapters = seconds("_build/chapters/quick/*.ipynb")
    return (
        f"Seconds of {len(made)} runs: {training:.0f} training, {measuring:.0f} measuring, "
        f"{whole - training - measuring:.0f} reading data and making networks, {sum(live) - whole:.0f} the "
        f"rest of their pages; {sum(pages) - sum(live):.0f} s of pages of "
        f"{len(pages) - len(live)} recorded runs; {sum(chapters):.0f} s of chapters. "
        f"{cores() + 1} at a time, on {cores()} cores."
    )
