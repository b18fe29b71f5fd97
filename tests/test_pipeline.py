"""The whole path on the smoke profile, from a copy of the repository: build, repeat, plan, kill, mend."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
from pathlib import Path

import nbformat
import pytest
from copying import copy_repository, environment, make, try_make

from binenc import records
from binenc.profile import Profile

pytestmark = pytest.mark.pipeline
RUNS = [run.id for run in Profile.read("smoke").all_runs()]
PIPED = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}


def plan(copy: Path, profile: str = "smoke") -> list[str]:
    """What the next `make book` would do, one line a job."""
    said = make(copy, "plan", f"PROFILE={profile}")
    jobs = sorted(line for line in said.splitlines() if re.match("train|draw|chapter|build", line))
    assert bool(jobs) != ("Nothing to be done" in said), said
    return jobs


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A copy after `make book PROFILE=smoke` was killed once in the middle and then completed."""
    copy = copy_repository(tmp_path_factory.mktemp("copy") / "binenc")
    command = ["make", "book", "PROFILE=smoke"]
    first = subprocess.Popen(command, cwd=copy, env=environment(copy), start_new_session=True)
    deadline = time.monotonic() + 300
    while not list(copy.glob("results/smoke/*/*/*/seed-*/run.json")):
        assert time.monotonic() < deadline
        assert first.poll() is None
        time.sleep(0.2)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    killed = [path for path in copy.glob("results/smoke/*/*/*/seed-*") if any(path.iterdir())]
    assert all((path / "run.json").exists() for path in killed)
    make(copy, "book", "PROFILE=smoke")
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
        ("binenc/profile.py", {"draw": len(RUNS), "train": 0, "chapter": 9}),
        ("binenc/commands/verify.py", None),
        ("binenc/training.py", {"draw": 0, "train": len(RUNS)}),
        ("book/encoding.ipynb", {"draw": 0, "train": 0, "chapter": 1}),
        ("bench/recorded.json", {"draw": 0, "train": 0, "chapter": 0}),
        ("CITATION.cff", {"draw": 0, "train": 0, "chapter": 0}),
        ("binenc/claims/race.py", {"draw": 0, "train": 0, "chapter": 9}),
        ("profiles/smoke.yml", {"draw": 0, "train": 0, "chapter": 9}),
    ],
)
def test_a_change_plans_only_what_it_concerns(built, changed, verbs):
    path = built / changed
    original = path.read_text()
    try:
        path.write_text(original.replace("\n", "\n\n", 1) if path.suffix == ".py" else original + "\n")
        jobs = [line.split()[0] for line in plan(built)]
        if verbs is None:
            assert not jobs
            return
        assert {verb: jobs.count(verb) for verb in verbs} == verbs
        assert jobs.count("build") == 1
    finally:
        path.write_text(original)


def test_files_of_data_sets_that_come_are_shown(built, monkeypatch):
    monkeypatch.delenv("BINENC_DATA", raising=False)
    make(built, "book", "PROFILE=smoke")
    raw = built / "data/MNIST/raw"
    raw.mkdir(parents=True)
    try:
        (raw / "train-images-idx3-ubyte").touch()
        assert plan(built) == ["build the book", "chapter data"]
    finally:
        shutil.rmtree(built / "data")


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


def test_a_page_is_drawn_again_when_another_record_takes_the_place_of_its_own(built):
    run = built / "results/smoke" / RUNS[0] / "run.json"
    os.utime(run)
    assert {line for line in plan(built) if not line.startswith("chapter")} == {
        "build the book",
        f"draw smoke/{RUNS[0]}",
    }
    make(built, "book", "PROFILE=smoke")
    assert plan(built) == []


def test_an_editors_lock_on_a_profile_is_no_profile(built):
    lock = built / "profiles/.#smoke.yml"
    lock.symlink_to("somebody@somewhere.1234")
    try:
        assert plan(built) == []
        os.utime(built / "_build/chapters/smoke/encoding.ipynb")
        make(built, "book", "PROFILE=smoke")
    finally:
        lock.unlink()


def test_a_chapter_draws_into_a_folder_of_its_profile(built):
    """What another profile, or a reader in JupyterLab, draws under the same names is not taken from there."""
    drawn = {path.name for path in (built / "_build/chapters/smoke/figures").iterdir()}
    assert {"settings.csv", "binarity-smoke-as-written.svg"} <= drawn
    assert not drawn & {path.name for path in (built / "_build/figures").iterdir()}
    assert drawn <= {path.name for path in (built / "_build/stage/figures").iterdir()}


def test_a_corrupt_record_is_named_set_aside_and_trained_again(built):
    folder = built / "results/smoke" / RUNS[0]
    (folder / "history.parquet").write_bytes(b"PAR1")
    said = make(built, "book", "PROFILE=smoke")
    assert f"corrupt record {folder}: history.parquet" in said
    assert folder.with_name(f"{folder.name}.corrupt").exists()
    assert json.loads((folder / "run.json").read_text())["status"] == "complete"


def test_a_record_that_is_gone_is_trained_again(built):
    folder = built / "results/smoke" / RUNS[1]
    gone = folder.rename(built / "gone")
    trained = [line for line in plan(built) if line.startswith("train")]
    gone.rename(folder)
    assert trained == [f"train smoke/{RUNS[1]}"]


def test_a_page_that_fails_after_its_training_leaves_the_record(built):
    page, profile = built / "book/run.ipynb", built / "profiles/one.yml"
    original, smoke = page.read_text(), (built / "profiles/smoke.yml").read_text()
    row = "{experiments: [digits_mlp], protocols: [as_written], architectures: [no_penultimate], seeds: [0]}"
    try:
        notebook = nbformat.reads(original, as_version=4)
        notebook.cells.append(nbformat.v4.new_code_cell("raise KeyError('told you')"))
        nbformat.write(notebook, page)
        for gamma in (10.0, 9.0):  # the second replaces the first
            profile.write_text(f"{smoke.split('runs:')[0]}runs: [{row}]".replace("10.0", f"{gamma}"))
            assert "told you" in try_make(built, "book", "PROFILE=one").stderr
            record = records.load(built / "results/one/digits_mlp/as_written/no_penultimate/seed-0")
            assert record.run["configuration"]["experiment"]["gamma"] == gamma
        assert [job.split()[0] for job in plan(built, "one")].count("train") == 0
    finally:
        page.write_text(original)
        profile.unlink()


def test_a_page_that_is_gone_is_drawn_again(built):
    page = built / "_build/pages/smoke" / f"{RUNS[0]}.ipynb"
    page.unlink()
    jobs = plan(built)
    assert f"draw smoke/{RUNS[0]}" in jobs
    assert not [job for job in jobs if job.startswith("train")]
    make(built, "book", "PROFILE=smoke")
    assert page.exists()


def test_a_profile_that_cannot_be_read_is_named_whatever_is_asked_for(built):
    broken = built / "profiles/broken.yml"
    broken.write_text("title: [")
    said = try_make(built, "plan", "PROFILE=smoke").stderr.splitlines()
    broken.unlink()
    assert said[0].startswith("profiles/broken.yml: ")
    assert len([line for line in said if not line.startswith("make")]) == 1


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
        done = try_make(built, "book", "PROFILE=smoke")
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
        make(built, "report", "PROFILE=smoke")
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
    make(built, "run", "PROFILE=smoke", "EXPERIMENT=digits_mlp", "SEED=3", "EPOCHS=1")
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


def test_where_the_report_lies_is_said_even_if_nothing_was_to_be_done(built):
    assert f"report: {built}/_build/html/index.html" in make(built, "book", "PROFILE=smoke").splitlines()


def test_what_snakemake_refuses_is_not_passed_over_in_silence(built):
    away = built / "encoding.ipynb"
    (built / "book/encoding.ipynb").rename(away)
    (built / "_build/chapters/smoke/encoding.ipynb").unlink()
    try:
        done = try_make(built, "book", "PROFILE=smoke")
        assert done.returncode != 0
        assert "make plan" in done.stderr
        assert "book/encoding.ipynb" in try_make(built, "plan", "PROFILE=smoke").stderr
    finally:
        away.rename(built / "book/encoding.ipynb")


def test_what_a_report_is_drawn_from_is_named_where_it_is_gone(built):
    figures, page = built / "_build/figures", built / "_build/html/index.html"
    figures.rename(built / "away")
    page.unlink()
    try:
        assert f"{figures} is gone: make clean" in try_make(built, "book", "PROFILE=smoke").stderr
    finally:
        (built / "away").rename(figures)


def test_nothing_is_removed_under_a_build(built):
    with subprocess.Popen(["flock", built / "_build/lock", "sh", "-c", "echo; cat"], **PIPED) as holding:
        holding.stdout.readline()
        done = try_make(built, "clean")
        assert (done.returncode, (built / "_build/records").is_dir()) == (2, True)
        assert done.stderr.startswith("a build is at work here")
        holding.stdin.close()


def test_a_report_that_fails_leaves_the_last_one(built):
    make(built, "book", "PROFILE=smoke")
    page = built / "book/cite.md"
    whole = page.read_text()
    page.write_text(f"{whole}\n[broken](nowhere.md)\n")
    try:
        assert try_make(built, "book", "PROFILE=smoke").returncode != 0
        assert (built / "_build/html/index.html").exists()
        assert "build the book" in make(built, "plan", "PROFILE=smoke")
    finally:
        page.write_text(whole)
