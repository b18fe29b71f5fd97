"""A study of a thousand runs: its plan is whole, and its table too."""

import json
import os
import re
import time
from collections import Counter

import pytest
from copying import copy_repository, make
from synthetic import METRICS, synthetic

from binenc import records
from binenc.profile import Block, Profile

GAMMAS = [f"digits_mlp,gamma={tenths / 10}" for tenths in range(1, 26)]
SEEDS = range(10)


@pytest.fixture
def sweep(smoke) -> Profile:
    """25 values of gamma, 10 seeds, 4 architectures."""
    block = Block(experiments=GAMMAS, protocols=["as_written"], seeds=list(SEEDS))
    profile = smoke.model_copy(update={"name": "sweep", "runs": [block]})
    assert len(profile.all_runs()) == 1000
    return profile


def record(profile: Profile, runs: list) -> None:
    """The same history for each run: a record is written once, then linked under other names."""
    first = records.folder(profile, runs[0])
    records.save(synthetic(runs[0]), first)
    made = json.loads((first / "run.json").read_text())
    for run in runs[1:]:
        folder = records.folder(profile, run)
        folder.mkdir(parents=True)
        for name in records.FILES:
            os.link(first / name, folder / name)
        changed = {"id": run.id, "title": run.title, "configuration": run.configuration}
        (folder / "run.json").write_text(json.dumps(made | changed))


def test_the_table_of_a_thousand_runs_has_each_once(tmp_path, monkeypatch, sweep):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    runs = sweep.all_runs()
    record(sweep, runs)
    started = time.process_time()
    table = records.tabulate(sweep, runs)
    assert time.process_time() - started < 5
    rows = len(runs[0].experiment.evaluated) * 2 * len(METRICS)
    assert len(table) == 1000 * rows
    assert set(table.groupby(list(records.RUN_COLUMNS)).size()) == {rows}
    assert table.experiment.drop_duplicates().tolist() == GAMMAS


@pytest.mark.pipeline
def test_the_plan_of_a_thousand_runs_has_each_once(tmp_path, monkeypatch, sweep):
    """Three of them are recorded: they are drawn, the others trained, and each chapter is made once."""
    copy = copy_repository(tmp_path / "copy")
    head = (copy / "profiles/smoke.yml").read_text().split("\nruns:")[0]
    row = {"experiments": GAMMAS, "protocols": ["as_written"], "seeds": list(SEEDS)}
    (copy / "profiles/sweep.yml").write_text(f"{head}\nruns:\n  - {json.dumps(row)}\n")
    monkeypatch.setattr(records, "RESULTS", copy / "results")
    runs = sweep.all_runs()
    record(sweep, runs[500:503])
    said = make(copy, "plan", "PROFILE=sweep")
    jobs = [line for line in said.splitlines() if re.match("train|draw|chapter|build", line)]
    assert len(set(jobs)) == len(jobs)
    assert {f"train sweep/{run.id}" for run in runs[:500] + runs[503:]} <= set(jobs)
    assert {f"draw sweep/{run.id}" for run in runs[500:503]} <= set(jobs)
    counts = Counter(line.split()[0] for line in jobs if " paper/" not in line)
    assert (counts["train"], counts["build"]) == (997, 1)
    assert counts["chapter"] >= 8
