"""One run as a job of a real Slurm, with what its profile asks for."""

import importlib.util
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from copying import copy_repository, make

from binenc.profile import ROOT

DAEMONS = ["munged", "slurmctld", "slurmd", "sbatch"]


@pytest.fixture
def slurm(tmp_path):
    """A Slurm of one node, stopped after the test."""
    if missing := [name for name in DAEMONS if not shutil.which(name)]:
        pytest.skip(f"needs {', '.join(missing)} (Debian: munge slurmctld slurmd slurm-client)")
    if not importlib.util.find_spec("snakemake_executor_plugin_slurm"):
        pytest.skip("needs pip install -e '.[slurm]'")
    if os.geteuid() != 0 or Path("/etc/slurm/slurm.conf").exists():
        pytest.skip("needs root, and a machine without a Slurm of its own")
    script = ROOT / "tests/slurm/slurm.sh"
    subprocess.run([script, "start", tmp_path / "slurm"], check=True, stdout=subprocess.DEVNULL)
    yield
    subprocess.run([script, "stop", tmp_path / "slurm"], check=True)
    assert not Path("/etc/slurm/slurm.conf").is_symlink()


PROFILE = """
resources: {threads: 2, memory_mb: 1500, minutes: 7, gpus: 1}
runs:
  - experiments: ["digits_mlp,epochs=1"]
    protocols: ["as_written,softmax_twice=true,dropout=first_epoch"]
    architectures: [binary_encoding]
    seeds: [0]
"""


@pytest.mark.pipeline
def test_a_run_is_a_job_with_what_its_profile_asks_for(tmp_path, slurm):
    copy = copy_repository(tmp_path / "copy")
    smoke = (copy / "profiles/smoke.yml").read_text()
    experiments = smoke.split("\nruns:")[0].splitlines()
    kept = "\n".join(line for line in experiments if not line.startswith("resources:"))
    (copy / "profiles/one.yml").write_text(kept + PROFILE)
    patience = [
        "--slurm-status-command squeue",
        "--slurm-init-seconds-before-status-checks 5",
        "--seconds-between-status-checks 5",
    ]
    make(copy, "slurm", "PROFILE=one", "SHARD=1/1", f"SLURM={' '.join(patience)}")
    run = "one/digits_mlp,epochs=1/as_written,softmax_twice=true,dropout=first_epoch/binary_encoding/seed-0"
    assert (copy / "results" / run / "run.json").exists()
    assert (copy / "_build/pages" / f"{run}.ipynb").exists()
    said = subprocess.run(["scontrol", "show", "job"], capture_output=True, text=True, check=True).stdout
    assert said.count("JobId=") == 1
    for wanted in (
        "JobState=COMPLETED",
        "NumCPUs=2",
        "MinMemoryNode=1500M",
        "TimeLimit=00:07:00",
        "TresPerJob=gres:gpu:1",
    ):
        assert wanted in said
