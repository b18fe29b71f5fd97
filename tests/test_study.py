"""What a chapter reads: which runs, and their table."""

import dataclasses
import errno
import math
import os
import statistics
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from drawn import save_all
from synthetic import synthetic

from binenc import records, study, training
from binenc.choice import choose
from binenc.profile import ARCHITECTURES, InputError, Profile


def test_profiles_are_read_in_the_order_asked_and_those_without_records_left_out(made):
    found = study.read(["paper", "smoke"])
    assert list(found.profiles) == list(found.runs) == ["smoke"]
    assert len(found.missing["paper"]) == len(choose(["paper"])["paper"])
    assert found.missing["smoke"] == []


def test_table_holds_every_history_once(made, smoke):
    table = study.read(["smoke"]).table
    columns = [
        "profile",
        "experiment",
        "protocol",
        "architecture",
        "seed",
        "epoch",
        "split",
        "metric",
        "value",
    ]
    assert list(table) == columns
    assert len(table) == sum(len(record.history) for record in made.values())
    assert table.index.is_unique
    for run in smoke.all_runs():
        rows = table[(table[columns[1:5]] == list(run.key)).all(axis=1)]
        assert rows.value.tolist() == made[run.id].history.value.tolist()


def test_a_selection_reads_just_that(made):
    found = study.read(["smoke"], protocols=["as_written"], architectures=["binary_encoding"], seeds=[0])
    assert [run.id for run in found.runs["smoke"]] == [
        "digits_mlp/as_written/binary_encoding/seed-0",
        "digits_cnn/as_written/binary_encoding/seed-0",
    ]
    assert set(found.table.architecture) == {"binary_encoding"}


def test_a_part_is_of_some_architectures_or_of_all_where_none_is_there(made):
    found = study.read(["smoke"])
    part = found.only("no_penultimate", "tanh_penultimate")
    assert {run.architecture for _, run in part.each()} == set(part.table.architecture) == {"no_penultimate"}
    assert found.only("tanh_penultimate") is found


def test_where_nothing_was_trained_the_smoke_runs_are_and_a_line_says_so(results, smoke, capsys, monkeypatch):
    trained = []

    def train(run, progress):
        from drawn import drawn

        trained.append(run)
        return drawn(run), {}

    monkeypatch.setattr(training, "train", train)
    found = study.read(["quick"], protocols=["as_written"], seeds=[0])
    assert "trained yet" in capsys.readouterr().out
    assert list(found.runs) == ["smoke"]
    assert trained == found.runs["smoke"]
    assert {(r.protocol_name, r.seed) for r in trained} == {("as_written", 0)}
    study.read(["quick"], protocols=["as_written"], seeds=[0])
    assert len(trained) == len(found.runs["smoke"])  # the second time they are there


def test_where_a_record_has_no_space_nothing_is_trained(results, smoke, monkeypatch):
    def full(file, offset, length):
        assert length > 2**25  # the weights of the paper's networks
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(training, "train", lambda run, progress: pytest.fail("trained"))
    with pytest.raises(InputError, match=r"no record can be saved there \(No space left on device\)"):
        study.find_or_train(smoke, smoke.all_runs()[0])


def test_where_no_record_can_be_saved_nothing_is_trained(results, smoke, monkeypatch):
    results.write_text("a file where the folder should be")
    monkeypatch.setattr(training, "train", lambda run, progress: pytest.fail("trained"))
    with pytest.raises(InputError, match="no record can be saved there"):
        study.find_or_train(smoke, smoke.all_runs()[0])


def test_find_or_train_trains_once(results, smoke, monkeypatch):
    from drawn import drawn

    trained = []
    monkeypatch.setattr(training, "train", lambda run, progress: (trained.append(run), (drawn(run), {}))[1])
    run = smoke.all_runs()[0]
    first, second = (study.find_or_train(smoke, run) for _ in range(2))
    assert trained == [run]
    assert first.history.equals(second.history)


def test_examples_are_of_the_first_seed_and_in_the_order_of_architectures(made, results, smoke):
    found = study.read(["smoke"])
    examples = found.examples("smoke", "digits_mlp", "as_written")
    assert list(examples) == list(ARCHITECTURES)
    assert {record.run["configuration"]["seed"] for record in examples.values()} == {0}
    assert list(study.read(["smoke"], seeds=[1]).examples("smoke", "digits_mlp", "as_written")) == [
        "binary_encoding"
    ]


def test_over_seeds_against_the_standard_library(made, smoke):
    table = study.over_seeds(study.read(["smoke"]).table)
    runs = [f"digits_mlp/as_written/binary_encoding/seed-{seed}" for seed in (0, 1)]
    for row in table.query("architecture == 'binary_encoding' and protocol == 'as_written'").itertuples():
        values = [
            value
            for run in (
                runs if row.experiment == "digits_mlp" else ["digits_cnn/as_written/binary_encoding/seed-0"]
            )
            for epoch, split, metric, value in made[run].history.itertuples(index=False)
            if (epoch, split, metric) == (row.epoch, row.split, row.metric)
        ]
        assert row.n == len(values)
        assert row.mean == pytest.approx(statistics.mean(values))
        if row.n > 1:
            assert row.std == pytest.approx(statistics.stdev(values))
        else:
            assert row.std != row.std


def test_over_seeds_of_three():
    keys = dict.fromkeys([*study.KEYS, "split", "metric"], "a")
    table = pd.DataFrame(
        [keys | {"seed": seed, "epoch": 5, "value": v} for seed, v in enumerate([1.0, 2.0, 6.0])]
    )
    (row,) = study.over_seeds(table).itertuples()
    assert (row.mean, row.std, row.n) == (3.0, pytest.approx(7**0.5), 3)
    table.loc[1, "value"] = np.nan
    (row,) = study.over_seeds(table).itertuples()
    assert (math.isnan(row.mean), math.isnan(row.std), row.n) == (True, True, 2)


def test_last_epoch_is_that_of_each_run(made):
    last = study.last_epoch(study.read(["smoke"]).table)
    assert last.groupby("experiment").epoch.unique().map(list).to_dict() == {
        "digits_mlp": [5],
        "digits_cnn": [1],
    }


def test_recorded_profiles_are_told_apart():
    assert study.source(Profile.read("paper")) == "profile paper, recorded"
    assert study.source(Profile.read("quick")) == "profile quick, trained afresh"


def test_reading_records_does_not_import_torch():
    rooms = "from binenc import claims, figures, study; from binenc.text import prose, tables"
    code = f"import sys; {rooms}; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_title_that_two_profiles_have_is_followed_by_theirs(made, smoke):
    found = study.read(["smoke"])
    two = dataclasses.replace(found, runs=found.runs | {"quick": [smoke.all_runs()[0]]})
    assert found.label("smoke", "digits_mlp", "as_written") == "Digits (MLP), as written"
    assert two.label("smoke", "digits_mlp", "as_written") == "Digits (MLP) (smoke), as written"
    assert two.label("smoke", "digits_cnn") == "Digits (CNN)"


def test_what_is_not_of_the_first_profile_with_runs_is_folded(made, smoke):
    found = study.read(["smoke"])
    runs, quick = smoke.all_runs(), Profile.read("quick")
    two = [next(run for run in runs if run.experiment_name == name) for name in ("digits_mlp", "digits_cnn")]
    several = {"paper": [], "smoke": [], "quick": two}
    found = dataclasses.replace(found, runs=several, profiles={"quick": quick, **found.profiles})
    case = ["digits_mlp", "digits_cnn"], "as_released"
    assert found.fold("quick", *case) == ""
    found = dataclasses.replace(found, runs={"smoke": two[:1], "quick": two})
    folded = found.fold("quick", *case)
    assert folded == "Digits (MLP) (quick); Digits (CNN), as released · profile quick, trained afresh"
    assert found.fold("smoke", ["digits_mlp"], "as_released") == ""


def test_variants_are_read_where_all_are_asked_for(results):
    quick = Profile.read("quick")
    variant = next(run for run in quick.all_runs() if "," in run.protocol_name)
    save_all(quick, [quick.all_runs()[0], variant])
    assert study.read(["quick"]).runs["quick"] == [quick.all_runs()[0]]
    assert variant in study.read(["quick"], variants=["protocol"]).runs["quick"]


def test_the_part_with_a_change(results):
    quick = Profile.read("quick")
    for name in ("digits_mlp", "digits_mlp,classifier_sgd=0.05", "digits_mlp,classifier_rotated=true"):
        run = quick.run(name, "as_written", "binary_encoding", 0)
        records.save(synthetic(run), records.folder(quick, run))
    found = study.read(["quick"], variants=["experiment"])
    rotated = found.changed_in("classifier_rotated=true")
    assert [run.experiment_name for _, run in rotated.each()] == ["digits_mlp,classifier_rotated=true"]
    assert set(rotated.table.experiment) == {"digits_mlp,classifier_rotated=true"}
    for none in ("gamma=1", "classifier_rotated=t", "digits_mlp", "rotated=true"):
        assert not list(found.changed_in(none).parts())
