"""The front door: what it refuses, in one line with what is allowed."""

import fcntl
import os
import subprocess
from pathlib import Path

import pytest
from copying import copy_repository, try_make

pytestmark = pytest.mark.pipeline


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    return copy_repository(tmp_path_factory.mktemp("copy"))


@pytest.mark.parametrize(
    ("words", "named", "allowed"),
    [
        (("book", "PROFILE=qick"), "qick", "quick"),
        (("plan", "PROFILE=qick"), "qick", "quick"),
        (("run",), "experiment ''", "digits_mlp"),
        (("run", "EXPERIMENT=digits mlp"), "digits mlp", "digits_mlp"),
        (("run", "EXPERIMENT=cifar"), "cifar", "digits_mlp"),
        (("run", "EXPERIMENT=digits_mlp", "PROTOCOL=as_told"), "as_told", "as_released"),
        (("run", "EXPERIMENT=digits_mlp", "ARCH=transformer"), "transformer", "no_penultimate"),
        (("run", "EXPERIMENT=digits_mlp", "SEED=-1"), "-1", "from 0 to"),
        (("run", "EXPERIMENT=digits_mlp,gama=1"), "gama", "gamma"),
        (("run", "EXPERIMENT=digits_mlp", "GAMMA=1"), "GAMMA", "digits_mlp,gamma=1"),
        (("plan", "SHARD=1/4"), "SHARD", "not read by `make plan`"),
        (("book", "EPOCHS=3"), "EPOCHS", "not read by `make book`"),
        (("paper", "PART=1/4"), "PART", "not read by `make paper`"),
        (("slurm", "YES=1"), "YES", "not read by `make slurm`"),
        (("book", "RUN=digits_mlp"), "RUN", "not read by `make book`"),
        (("book", "PORT=3"), "PORT", "not read by `make book`"),
        (("readme", "PROFILE=quick"), "PROFILE", "not read by `make readme`"),
        (("plan", "CORES=0"), "CORES=0", "at least 1"),
        (("plan", "CORES=1.5"), "CORES=1.5", "a whole number"),
        (("plan", "CORES=08"), "CORES=08", "a whole number"),
        (("plan", "CORES=all"), "CORES=all", "a whole number"),
        (("paper", "GPU_RUNS=0"), "GPU_RUNS=0", "at least 1"),
        (("book", "PROFIL=smoke"), "PROFIL", "make help"),
    ],
)
def test_bad_input_is_one_line_with_what_is_allowed(copy, words, named, allowed):
    before = sorted(str(p) for p in copy.rglob("*.ipynb"))
    done = try_make(copy, *words)
    lines = [line for line in done.stderr.splitlines() if line and not line.startswith("make")]
    assert done.returncode == 2
    assert len(lines) == 1
    assert named in lines[0]
    assert allowed in lines[0]
    assert sorted(str(p) for p in copy.rglob("*.ipynb")) == before


@pytest.mark.parametrize(("words", "side_by_side"), [((), 5), (("BINENC_DEVICE=cpu",), 3)])
def test_trainings_share_a_gpu_or_have_a_core_each(copy, tmp_path, monkeypatch, words, side_by_side):
    (tmp_path / "nvidia-smi").write_text("#!/bin/sh\necho GPU 0\n")
    (tmp_path / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("BINENC_DEVICE", raising=False)
    said = try_make(copy, "-n", "book", "CORES=3", "GPU_RUNS=5", *words).stdout
    assert "--cores $((3 + 1)) --max-threads 3 " in said
    assert f"--resources training={side_by_side} " in said


def test_links_are_looked_at_after_a_build(copy):
    done = try_make(copy, "linkcheck")
    assert done.returncode == 2
    assert "run that first" in done.stderr.splitlines()[0]


def test_a_report_of_no_record_is_refused(copy):
    done = try_make(copy, "report", "PROFILE=smoke")
    assert done.returncode == 2
    assert done.stderr.startswith("there is no record to show: `make book PROFILE=smoke`")


def test_a_plan_does_not_wait_for_the_build_that_it_is_about(copy):
    (copy / "_build").mkdir(exist_ok=True)
    with (copy / "_build/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = try_make(copy, "plan", "PROFILE=smoke")
    assert done.returncode == 0
    assert "build the book" in done.stdout
    assert not done.stderr


def test_an_environment_of_a_python_that_is_gone_is_made_again(copy, tmp_path):
    """As after an upgrade of the system: its stamp is newer than the lock, but nothing can be imported."""
    (copy / ".venv/bin").mkdir(parents=True)
    (copy / ".venv/installed").touch()
    (tmp_path / "python3").write_text("#!/bin/sh\nexit 1\n")  # binenc is not active
    (tmp_path / "python3").chmod(0o755)
    words = {"PATH": f"{tmp_path}:/usr/bin:/bin"}

    def said() -> str:
        return subprocess.run(
            ["make", "-n", "env"], cwd=copy, env=words, capture_output=True, text=True, timeout=60
        ).stdout

    assert "venv --clear .venv" in said()
    python = copy / ".venv/bin/python"
    python.write_text("#!/bin/sh\nexit 0\n")
    python.chmod(0o755)
    assert "python3 -m venv" not in said()
    (copy / ".venv/installed").unlink()
    assert "venv  .venv" in said()
