"""A run trained again: the rule for the tolerance by hand, and the whole comparison on the smallest runs."""

import dataclasses
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats
from synthetic import METRICS, synthetic

from binenc import data, records, training
from binenc.commands import verify
from binenc.profile import Block, InputError, Profile


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    return tmp_path


@pytest.fixture
def study(smoke) -> Profile:
    """Three seeds of one combination, two of two others, one of a fourth and of another experiment."""
    e = ["digits_mlp"]
    block = {
        "experiments": e,
        "protocols": ["as_written"],
        "architectures": ["binary_encoding"],
        "seeds": [0, 1, 2],
    }
    blocks = [
        block,
        block | {"architectures": ["linear_penultimate"], "seeds": [0, 1]},
        block | {"protocols": ["as_released"], "seeds": [0, 1]},
        block | {"protocols": ["as_written,softmax_twice=true"], "seeds": [0]},
        block | {"architectures": ["no_penultimate"], "seeds": [0]},
        block | {"experiments": ["digits_cnn"], "seeds": [0]},
    ]
    return smoke.model_copy(update={"runs": [Block(**b) for b in blocks]})


ACCURACY = ("accuracy", "test")


def accuracies(study: Profile, values: dict) -> pd.DataFrame:
    """Records whose final test accuracy is given by (protocol, architecture, seed), tabulated."""
    for run in study.all_runs():
        value = values.get((run.protocol_name, run.architecture, run.seed), 0.5)
        records.save(synthetic(run, {ACCURACY: value}), records.folder(study, run))
    return records.tabulate(study, study.all_runs())


def allowed(n: int, s: float) -> float:
    """99 % of the differences of two draws of a normal distribution, of which n gave s."""
    return stats.t(n - 1).interval(0.99)[1] * np.sqrt(2) * s


SEEDS = {
    ("as_written", "binary_encoding", 0): 0.90,
    ("as_written", "binary_encoding", 1): 0.96,
    ("as_written", "binary_encoding", 2): 0.90,
    ("as_written", "linear_penultimate", 0): 0.5,
    ("as_written", "linear_penultimate", 1): 0.52,
    ("as_released", "binary_encoding", 0): 0.80,
    ("as_released", "binary_encoding", 1): 0.81,
}


def run_of(study, protocol="as_written", architecture="binary_encoding", seed=0, experiment="digits_mlp"):
    return study.run(experiment, protocol, architecture, seed)


def test_the_tolerance_is_of_the_seeds_of_the_combination(here, study):
    found = verify.tolerance(accuracies(study, SEEDS), run_of(study))
    assert found.of[ACCURACY] == pytest.approx(allowed(3, np.std([0.90, 0.96, 0.90], ddof=1)))
    assert found.source == "the seeds of this combination"
    assert set(found.of.index) == {(metric, split) for split in ("train", "test") for metric in METRICS}


def test_seeds_that_agree_by_accident_have_the_median_spread(here, study):
    agree = SEEDS | {("as_written", "binary_encoding", seed): 0.9 for seed in range(3)}
    found = verify.tolerance(accuracies(study, agree), run_of(study))
    assert found.of[ACCURACY] == pytest.approx(
        allowed(3, np.median([0, 0.02 / np.sqrt(2), 0.01 / np.sqrt(2)]))
    )


def test_one_seed_borrows_the_spread_of_other_protocols_then_of_the_experiment_then_of_the_profile(
    here, study
):
    table = accuracies(study, SEEDS)
    largest = np.std([0.90, 0.96, 0.90], ddof=1)
    for run, source in (
        (run_of(study, "as_written,softmax_twice=true"), "other protocols"),
        (run_of(study, architecture="no_penultimate"), "the experiment's"),
        (run_of(study, experiment="digits_cnn"), "the profile's"),
    ):
        found = verify.tolerance(table, run)
        assert found.source.startswith(source)
        assert found.of[ACCURACY] == pytest.approx(allowed(2, largest))


def test_without_two_seeds_anywhere_only_equality_counts(here, study):
    table = accuracies(study, SEEDS)
    found = verify.tolerance(table[table.seed == 0], run_of(study))
    assert "only equality" in found.source
    record = synthetic(run_of(study))
    assert verify.compare(record, record, found).within.all()
    other = synthetic(run_of(study), {ACCURACY: 0.4})
    assert verify.compare(record, other, found).within.sum() == 2 * len(METRICS) - 1


def test_the_comparison_takes_the_last_epoch_and_says_what_is_outside(study):
    record = synthetic(run_of(study), {ACCURACY: 0.90, ("std", "test"): np.nan, ("std", "train"): np.nan})
    again = synthetic(run_of(study), {ACCURACY: 0.93, ("std", "test"): np.nan, ("std", "train"): 1.0})
    of = pd.Series({ACCURACY: 0.02, ("std", "test"): 0.1, ("std", "train"): 9.0})
    of.index.names = ["metric", "split"]
    table = verify.compare(record, again, verify.Tolerance(of, "here"))
    assert table.loc[ACCURACY, "difference"] == pytest.approx(0.03)
    assert not table.within[ACCURACY]
    assert table.within[("std", "test")]  # undefined in both
    assert not table.within[("std", "train")]
    assert table.within.sum() == len(table) - 2
    wider = verify.Tolerance(of.replace(0.02, 0.031), "here")
    assert verify.compare(record, again, wider).within[ACCURACY]


def test_the_binary_loss_is_compared_by_its_logarithm_also_where_float32_has_no_number_for_it(here, study):
    loss, largest = ("loss_bin", "test"), float(np.finfo(np.float32).max)
    runs = [run_of(study, seed=seed) for seed in range(3)]
    for run, value in zip(runs, (1e36, 1e37, np.inf), strict=True):
        records.save(synthetic(run, {loss: value}), records.folder(study, run))
    found = verify.tolerance(records.tabulate(study, runs), runs[0])
    assert found.of[loss] == pytest.approx(allowed(3, np.std(np.log([1e36, 1e37, largest]), ddof=1)))
    for then, now, within in (
        (1e36, 1e38, True),
        (1e36, np.inf, True),
        (np.inf, np.inf, True),
        (np.inf, 1e37, True),
        (np.inf, 1e3, False),
        (1e3, np.inf, False),
        (1e36, np.nan, False),
    ):
        table = verify.compare(synthetic(runs[0], {loss: then}), synthetic(runs[0], {loss: now}), found)
        assert table.within[loss] == within, (then, now)


def test_a_metric_that_one_of_the_two_lacks_is_outside(study):
    record, again = synthetic(run_of(study)), synthetic(run_of(study))
    again = dataclasses.replace(again, history=again.history[again.history.metric != "loss"])
    nothing = verify.Tolerance(pd.Series(dtype=float), "nothing")
    for pair in ((record, again), (again, record)):
        table = verify.compare(*pair, nothing)
        assert set(table.index[~table.within]) == {("loss", "test"), ("loss", "train")}


def test_bit_for_bit_sees_the_last_bit_of_histories_and_arrays(here, study):
    run = run_of(study)
    record = synthetic(run, {ACCURACY: np.nan})
    records.save(record, here / "saved")
    assert verify.bit_for_bit(records.load(here / "saved"), synthetic(run, {ACCURACY: np.nan}))
    value = record.final("loss", "test")
    assert not verify.bit_for_bit(record, synthetic(run, {("loss", "test"): np.nextafter(value, 2)}))
    for arrays in ({}, record.arrays | {"codebook": ~record.arrays["codebook"]}):
        assert not verify.bit_for_bit(record, dataclasses.replace(record, arrays=arrays))


@pytest.fixture
def trained(here, smoke, monkeypatch):
    """A recorded run of two epochs, and the record of a second seed beside it."""
    shorter = smoke.experiments["digits_mlp"].model_copy(update={"epochs": 2})
    profile = smoke.model_copy(update={"experiments": smoke.experiments | {"digits_mlp": shorter}})
    monkeypatch.setattr(Profile, "read", lambda name: profile)
    runs = [run_of(profile, seed=seed) for seed in (0, 1)]
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    for run in runs:
        records.save(training.train(run, progress=False)[0], records.folder(profile, run))
    yield profile, runs[0]
    torch.set_num_threads(before)


def test_a_run_that_repeats_is_verified_and_its_record_untouched(trained, here, capsys):
    profile, run = trained
    before = {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in here.rglob("*") if path.is_file()
    }
    torch.set_num_threads(2)
    assert verify.verify(profile, run)
    said = capsys.readouterr().out
    assert said.startswith(f"{run.id}: about ")
    assert "\nequal bit for bit; versions, device, threads and code are equal\n" in said
    assert "OUTSIDE" not in said
    assert "99% for two seeds" in said
    assert {p: (p.stat().st_mtime_ns, p.read_bytes()) for p in here.rglob("*") if p.is_file()} == before


def test_a_run_that_does_not_repeat_is_told_and_the_command_fails(trained, monkeypatch, capsys):
    profile, run = trained
    folder = records.folder(profile, run)
    record = records.load(folder)
    changed = record.history.copy()
    changed.loc[changed.metric == "epoch_loss", "value"] += 100
    records.save(dataclasses.replace(record, history=changed, run=record.run | {"device": "a Z80"}), folder)
    monkeypatch.setattr(verify, "tolerance", lambda *_: verify.Tolerance(pd.Series(dtype=float), "nothing"))
    monkeypatch.setattr(sys, "argv", ["verify", "smoke", run.id])
    with pytest.raises(SystemExit, match="1"):
        verify.main()
    said = capsys.readouterr().out
    assert [line.split()[0] for line in said.splitlines() if line.endswith("OUTSIDE")] == ["epoch_loss"]
    assert "not equal bit for bit; made with other device (a Z80, here " in said
    assert "\n1 of " in said


def test_another_loss_is_outside_the_tolerance_of_the_seeds(trained, monkeypatch, capsys):
    """What verify is for: the sources no longer train what they did."""
    profile, run = trained
    monkeypatch.setattr(training, "WITH_BINARY_LOSS", set())
    assert not verify.verify(profile, run)
    assert "OUTSIDE" in capsys.readouterr().out


def test_seeds_that_other_sources_made_give_the_tolerance_too(trained, monkeypatch, capsys):
    profile, run = trained
    monkeypatch.setattr(records, "code_version", lambda: "0" * 64)
    assert verify.verify(profile, run)
    said = capsys.readouterr().out
    assert "spread from the seeds of this combination" in said
    assert "made with other sources of binenc" in said


def test_what_cannot_be_compared_is_one_line(here, smoke, monkeypatch):
    run = smoke.all_runs()[0]
    with pytest.raises(InputError, match=f"{run.id} has no record .*; `make book PROFILE=smoke` makes one"):
        verify.verify(smoke, run)
    records.save(synthetic(run, data_checksum="0" * 64), records.folder(smoke, run))
    with pytest.raises(InputError, match="digits: other data than those of the record"):
        verify.verify(smoke, run)
    other = run.configuration | {"protocol": run.configuration["protocol"] | {"softmax_twice": True}}
    records.save(synthetic(run, configuration=other), records.folder(smoke, run))
    with pytest.raises(InputError, match=r"configuration.protocol.softmax_twice is True, not False"):
        verify.verify(smoke, run)
    (records.folder(smoke, run) / "history.parquet").write_bytes(b"PAR1")
    with pytest.raises(InputError, match="corrupt record"):
        verify.verify(smoke, run)
    assert len(data.load("digits").train) == 1437


@pytest.mark.parametrize(
    "name", ["", "digits_mlp", "digits_mlp/as_written/binary_encoding/seed-x", "../a/b/seed-0"]
)
def test_a_misspelled_run_is_refused_with_an_example(smoke, name):
    with pytest.raises(InputError, match=r"allowed (is like RUN=digits_mlp/|are )"):
        verify.named(smoke, name)


def test_a_run_is_named_by_its_folder(smoke):
    for run in smoke.all_runs():
        assert verify.named(smoke, run.id) == run


def test_the_median_spread_is_of_the_experiment_alone(here, study):
    cnn = Block(
        experiments=["digits_cnn"], protocols=["as_released"], seeds=[0, 1]
    )  # none of four has a spread
    wider = study.model_copy(update={"runs": [*study.runs, cnn]})
    agree = SEEDS | {("as_written", "binary_encoding", seed): 0.9 for seed in range(3)}
    found = verify.tolerance(accuracies(wider, agree), run_of(wider))
    assert found.of[ACCURACY] == pytest.approx(allowed(3, 0.01 / np.sqrt(2)))


@pytest.mark.parametrize("sign", [1, -1])
def test_rounding_alone_is_within(study, sign):
    record, nothing = synthetic(run_of(study), {ACCURACY: 0.9}), pd.Series(dtype=float)
    for share, within in ((5e-7, True), (2e-6, False)):
        again = synthetic(run_of(study), {ACCURACY: 0.9 * (1 + sign * share)})
        assert verify.compare(record, again, verify.Tolerance(nothing, "")).within[ACCURACY] == within


def test_what_was_made_elsewhere_is_named(study):
    run = run_of(study)
    versions = {"python": "3.11.0", "torch": "2.8.0", "numpy": "2.0.0"}
    other = synthetic(run, code="0" * 64, threads=8, versions=versions)
    expected = ["threads (8, here 2)", "torch (2.8.0, here 2.9.0)", "sources of binenc"]
    assert verify.elsewhere(other, synthetic(run)) == expected
    assert verify.elsewhere(synthetic(run), synthetic(run)) == []


def test_another_number_of_parameters_fails(trained, capsys):
    profile, run = trained
    folder = records.folder(profile, run)
    record = records.load(folder)
    records.save(dataclasses.replace(record, run=record.run | {"n_parameters": 1}), folder)
    assert not verify.verify(profile, run)
    assert f"OUTSIDE: {record.run['n_parameters']} parameters, the record has 1" in capsys.readouterr().out
