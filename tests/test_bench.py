"""What `make bench` compares: the row of its table, and that its baseline measures what we measure."""

import shutil
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from bench import building, steps, timing
from bench.measures import loops, mixtures
from bench.timing import row
from binenc.metrics import measure
from binenc.profile import ROOT, Profile
from binenc.protocol import AS_WRITTEN


def test_a_row_is_of_medians():
    times = {"ours": [0.3, 0.1, 0.2], "baseline": [0.8, 90.0, 0.7], "limit": [0.0, 0.1, 0.1]}
    made = row("A step", "ms", times, 1e3, {"ratio": 3}, "A note.")
    assert [made[name] for name in times] == pytest.approx([200, 800, 100])
    assert (made["ratio"], made["share"]) == pytest.approx((4, 0.5))
    assert (made["part"], made["unit"], made["note"]) == ("A step", "ms", "A note.")
    assert made["goals"] == {"ratio": 3}


def test_a_row_without_a_baseline_or_a_limit_has_no_ratio_or_share():
    made = row("A build", "s", {"ours": [2.0]})
    assert (made["ours"], made["ratio"], made["share"], made["goals"]) == (2, None, None, {})


def test_the_limit_has_the_products_of_every_layer():
    """Three of the MLP, the penultimate layer, the classifier."""
    run = Profile.read("smoke").run("digits_mlp", "as_written", "binary_encoding", 0)
    assert len(steps.arithmetic(run, 2, torch.float32)) == 5


def test_the_baseline_measures_what_we_measure():
    """Four classes near vertices of a cube; some points lie beyond their own, or are classified wrongly."""
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 4, (400,), generator=g)
    vertices = torch.randn(4, 6, generator=g).sign()
    latents = vertices[labels] + 0.4 * torch.randn(400, 6, generator=g)
    weight = vertices + 2 * torch.randn(4, 6, generator=g)
    network = latents @ weight.T, latents, labels, weight
    ours, arrays = measure(*network, AS_WRITTEN), [x.numpy() for x in network]
    assert all(0.3 < ours[name] < 1 for name in ("accuracy", "code_share", "codebook_accuracy", "nc4"))

    baseline = loops(*arrays)
    assert ours == pytest.approx(ours | baseline, rel=1e-5)
    score, std, standardised, _ = np.reshape(mixtures(arrays[1]), (-1, 4)).mean(axis=0)
    fitted = {"log_likelihood": score, "std": std, "standardised_log_likelihood": standardised}
    assert ours == pytest.approx(ours | fitted, rel=0.01)
    assert ours.keys() - baseline.keys() - fitted.keys() == {"peak_distance", "gain", "dead_dimensions"}


def test_seconds_are_those_of_one_call(monkeypatch):
    calls = []
    clock = SimpleNamespace(perf_counter=lambda: 7.0 + 3.0 * len(calls))
    monkeypatch.setattr(timing, "time", clock)
    assert timing.seconds(lambda: calls.append(1), 4) == 3
    assert len(calls) == 4


def test_a_build_that_is_measured_is_not_told_what_the_benchmark_was(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setenv("MAKEFLAGS", "-- PART=build")
    monkeypatch.setattr(building.subprocess, "run", lambda words, env, **_: asked.append((words, env)))
    made = building.measured(tmp_path, "1000 runs", 30, words=("plan", "PROFILE=sweep"))
    ((words, env),) = asked
    assert words == ["make", "plan", "PROFILE=sweep"]
    assert env["MAKEFLAGS"] == ""
    assert (made["part"], made["goals"]) == ("make plan, 1000 runs", {"at most": 30})


def test_the_sweep_is_a_thousand_runs_also_as_a_file(tmp_path, monkeypatch):
    (tmp_path / "profiles").mkdir()
    shutil.copy(ROOT / "profiles/quick.yml", tmp_path / "profiles")
    profile = building.sweep(tmp_path)
    monkeypatch.setattr("binenc.profile.PROFILES", tmp_path / "profiles")
    assert len({run.id for run in profile.all_runs()}) == len(profile.all_runs()) == 1000
    assert Profile.read("sweep").all_runs() == profile.all_runs()
