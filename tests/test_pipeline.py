"""The whole path on the smoke profile, from a copy of the repository: build, repeat, plan, kill, mend."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from binenc.profile import ROOT, Profile

pytestmark = pytest.mark.pipeline
RUNS = [run.id for run in Profile.read("smoke").all_runs()]


def make(copy: Path, *words: str, **environment: str) -> subprocess.CompletedProcess:
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"} | environment
    return subprocess.run(["make", *words], cwd=copy, env=env, capture_output=True, text=True, timeout=900)


def plan(copy: Path) -> list[str]:
    """What the next `make book` would do, one line a job."""
    said = make(copy, "plan", "PROFILE=smoke")
    assert said.returncode == 0, said.stderr
    return sorted(line for line in said.stdout.splitlines() if re.match("train|draw|chapter|build", line))


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the tracked and new files, as a repository of its own."""
    target = tmp_path_factory.mktemp("copy") / "binenc"
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    for name in subprocess.run(listed, cwd=ROOT, capture_output=True, text=True).stdout.split("\0"):
        if name and (ROOT / name).is_file() and not name.startswith("results/"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    return target


@pytest.fixture(scope="module")
def built(copy) -> Path:
    """The copy after `make book PROFILE=smoke` was killed once in the middle and then completed."""
    env = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    first = subprocess.Popen(["make", "book", "PROFILE=smoke"], cwd=copy, env=env, start_new_session=True)
    deadline = time.monotonic() + 300
    while not list(copy.glob("results/smoke/**/run.json")):
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    subprocess.run(["pkill", "-KILL", "-f", str(copy)])
    killed = [path for path in copy.glob("results/smoke/**/seed-*") if path.is_dir() and any(path.iterdir())]
    assert all((path / "run.json").exists() for path in killed if not path.name.startswith("."))
    done = make(copy, "book", "PROFILE=smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    return copy


def test_every_run_has_a_record_and_every_page_its_html(built):
    for run in RUNS:
        record = json.loads((built / "results/smoke" / run / "run.json").read_text())
        assert record["id"] == run
        assert (built / "_build/html/book/runs/smoke" / f"{run}.html").exists()
    for chapter in (
        "intro",
        "data",
        "architectures",
        "binarity",
        "encoding",
        "accuracy",
        "neural_collapse",
        "claims",
    ):
        html = (built / f"_build/html/book/{chapter}.html").read_text()
        assert "<h1>" in html
    for chapter in ("binarity", "encoding", "accuracy", "neural_collapse"):
        html = (built / f"_build/html/book/{chapter}.html").read_text()
        assert "<figure" in html
        assert "caption-number" in html


def test_nothing_changed_plans_nothing(built):
    assert plan(built) == []


@pytest.mark.parametrize(
    ("changed", "verbs"),
    [
        ("binenc/figures/style.py", {"draw": len(RUNS), "train": 0}),
        ("binenc/training.py", {"draw": 0, "train": len(RUNS)}),
        ("book/encoding.ipynb", {"draw": 0, "train": 0, "chapter": 1}),
        ("bench/recorded.json", {"draw": 0, "train": 0, "chapter": 0}),
    ],
)
def test_a_change_plans_only_what_it_concerns(built, changed, verbs):
    path = built / changed
    original = path.read_text()
    try:
        path.write_text(original.replace("\n", "\n\n", 1) if path.suffix == ".py" else original + "\n")
        jobs = [line.split()[0] for line in plan(built)]
        assert {verb: jobs.count(verb) for verb in verbs} == verbs
        assert jobs.count("build") == 1
    finally:
        path.write_text(original)


def test_a_profile_retrains_the_runs_it_concerns(built):
    path = built / "profiles/smoke.yml"
    original = path.read_text()
    try:
        head, tail = original.split("  digits_cnn:", 1)
        path.write_text(head + "  digits_cnn:" + tail.replace("gamma: 10.0", "gamma: 9.0", 1))
        trained = [line for line in plan(built) if line.startswith("train")]
        assert trained == [f"train smoke/{run}" for run in RUNS if run.startswith("digits_cnn")]
    finally:
        path.write_text(original)


def test_a_corrupt_record_is_named_set_aside_and_trained_again(built):
    folder = built / "results/smoke" / RUNS[0]
    (folder / "history.parquet").write_bytes(b"PAR1")
    done = make(built, "book", "PROFILE=smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"corrupt record {folder}: history.parquet" in done.stdout + done.stderr
    assert folder.with_name(f"{folder.name}.corrupt").exists()
    assert json.loads((folder / "run.json").read_text())["status"] == "complete"


def test_a_page_that_is_gone_is_drawn_again(built):
    page = built / "_build/pages/smoke" / f"{RUNS[0]}.ipynb"
    page.unlink()
    jobs = plan(built)
    assert f"draw smoke/{RUNS[0]}" in jobs
    assert not [job for job in jobs if job.startswith("train")]
    assert make(built, "book", "PROFILE=smoke").returncode == 0
    assert page.exists()


def test_a_failing_page_is_kept_and_named_and_the_others_go_on(built):
    path = built / "book/encoding.ipynb"
    original = path.read_text()
    other = built / "book/binarity.ipynb"
    try:
        notebook = nbformat.reads(original, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell("raise KeyError('told you')"))
        nbformat.write(notebook, path)
        page = built / "_build/chapters/smoke/binarity.ipynb"
        page.unlink()
        done = make(built, "book", "PROFILE=smoke")
        said = done.stdout + done.stderr
        assert done.returncode != 0
        assert "KeyError" in said
        assert "encoding.failed.ipynb" in said
        assert "encoding.log" in said
        assert (built / "_build/chapters/smoke/encoding.failed.ipynb").exists()
        assert page.exists()
    finally:
        path.write_text(original)
        os.utime(other)


def test_a_book_built_on_the_last_is_the_one_built_from_nothing(built):
    def report() -> dict[str, str]:
        done = make(built, "report", "PROFILE=smoke")
        assert done.returncode == 0, done.stdout + done.stderr
        # A style sheet that the book itself writes has a checksum where it was there before.
        return {
            str(path.relative_to(html)): re.sub(r"\?v=\w+", "", path.read_text())
            for path in html.rglob("*.html")
        }

    def change(chapter: str, old: str, new: str) -> None:
        page = built / f"_build/chapters/smoke/{chapter}.ipynb"
        page.write_text(page.read_text().replace(old, new, 1))

    html, stage = built / "_build/html", built / "_build/stage"
    report()
    assert (stage / "complete").exists()
    written = {path: path.stat().st_mtime_ns for path in (stage / "_build/html/book").rglob("*.html")}
    change("encoding", "?", "? Quokkas!")
    report()
    again = {str(path.name) for path, time in written.items() if path.stat().st_mtime_ns > time}
    assert "encoding.html" in again
    assert not [name for name in again if name.startswith("seed-")]
    assert "quokka" in (html / "searchindex.js").read_text()
    change("binarity", "# ", "# Renamed: ")
    kept = report()
    assert all("Renamed" in kept[f"book/runs/smoke/{run}.html"] for run in RUNS)
    shutil.rmtree(stage)
    os.utime(built / "_build/chapters/smoke/encoding.ipynb")
    assert report() == kept


def test_one_run_by_name(built):
    done = make(built, "run", "PROFILE=smoke", "EXPERIMENT=digits_mlp", "SEED=3", "EPOCHS=1")
    assert done.returncode == 0, done.stdout + done.stderr
    page = built / "_build/pages/smoke/digits_mlp,epochs=1/as_written/binary_encoding/seed-3.ipynb"
    assert page.exists()
    record = json.loads(
        (
            built
            / "results/smoke"
            / page.relative_to(built / "_build/pages/smoke").with_suffix("")
            / "run.json"
        ).read_text()
    )
    assert record["configuration"]["experiment"]["epochs"] == 1


@pytest.mark.parametrize(
    ("words", "named", "allowed"),
    [
        (("book", "PROFILE=qick"), "qick", "quick"),
        (("run", "EXPERIMENT=cifar"), "cifar", "digits_mlp"),
        (("run", "EXPERIMENT=digits_mlp", "PROTOCOL=as_told"), "as_told", "as_released"),
        (("run", "EXPERIMENT=digits_mlp", "ARCH=transformer"), "transformer", "no_penultimate"),
        (("run", "EXPERIMENT=digits_mlp", "SEED=-1"), "-1", "from 0 to"),
        (("run", "EXPERIMENT=digits_mlp,gama=1"), "gama", "gamma"),
    ],
)
def test_bad_input_is_one_line_with_what_is_allowed(built, words, named, allowed):
    before = sorted(str(p) for p in built.rglob("*.ipynb"))
    done = make(built, *words)
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith("make")]
    assert done.returncode == 2
    assert len(lines) == 1
    assert named in lines[0]
    assert allowed in lines[0]
    assert sorted(str(p) for p in built.rglob("*.ipynb")) == before
