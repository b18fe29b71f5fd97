"""`binenc.metrics.binarity`: what a score of two peaks must satisfy."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from points import SAMPLES

from binenc.metrics.binarity import GAUSSIAN, binarity, fit

SCALE_FREE = {"standardised_log_likelihood", "gain"}
pytestmark = pytest.mark.usefixtures("one_thread")


def test_the_averages_are_over_dimensions(latents):
    x = latents["binary_encoding"]
    whole, parts = binarity(x), [binarity(column[:, None]) for column in x.T]
    for key in whole.keys() - {"dead_dimensions"}:
        assert whole[key] == pytest.approx(np.mean([p[key] for p in parts]), abs=1e-9)


def test_known_mixture():
    m = fit(SAMPLES["two sharp peaks"][:, None])
    torch.testing.assert_close(m.weights[0], torch.tensor([0.6, 0.4]).double(), atol=0.02, rtol=0)
    torch.testing.assert_close(m.means[0], torch.tensor([-1.0, 1.0]).double(), atol=1e-3, rtol=0)
    torch.testing.assert_close(m.stds[0], torch.tensor([0.01, 0.01]).double(), atol=5e-4, rtol=0)
    values = binarity(SAMPLES["two sharp peaks"][:, None])
    assert values["peak_distance"] == pytest.approx(200, rel=0.05)
    assert values["std"] == pytest.approx(0.01, rel=0.05)
    assert values["gain"] > 3


def test_the_binary_loss_makes_peaks(latents):
    values = {name: binarity(x) for name, x in latents.items()}
    gain = {name: v["gain"] for name, v in values.items()}
    assert gain["binary_encoding"] > gain["linear_penultimate"] + 0.2
    assert values["binary_encoding"]["std"] < values["linear_penultimate"]["std"]


def test_one_peak_gains_nothing():
    assert 0 <= binarity(SAMPLES["one peak"][:, None])["gain"] < 0.01


kinds = st.sampled_from(["two peaks", "narrow on wide", "half zeros", "Student", "skewed", "one peak"])
sizes = st.integers(2, 1000)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(kinds, sizes, st.floats(-100, 100))
def test_a_shift_changes_no_score(kind, n, shift):
    x = SAMPLES[kind][:n, None]
    assert binarity(x + shift) == pytest.approx(binarity(x), abs=2e-3, rel=2e-3)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(kinds, sizes, st.floats(-3, 3))
def test_a_unit_changes_no_scale_free_score(kind, n, log_scale):
    x = SAMPLES[kind][:n, None]
    before, after = binarity(x), binarity(x * 10**log_scale)
    for key in SCALE_FREE:
        assert after[key] == pytest.approx(before[key], abs=1e-6)


@settings(max_examples=25, deadline=None, derandomize=True)
@given(kinds, sizes, st.integers(0, 100))
def test_the_order_of_points_does_not_matter(kind, n, seed):
    x = SAMPLES[kind][:n, None]
    order = torch.randperm(n, generator=torch.Generator().manual_seed(seed))
    assert binarity(x[order]) == pytest.approx(binarity(x), abs=1e-6, rel=1e-6)


@pytest.mark.parametrize("kind", ["two peaks", "Student", "skewed", "uniform"])
def test_half_the_latents_raise_the_raw_score_alone(kind):
    x = SAMPLES[kind][:, None]
    whole, half = binarity(x), binarity(x / 2)
    assert half["std"] == pytest.approx(whole["std"] / 2, rel=1e-3)
    assert half["log_likelihood"] == pytest.approx(whole["log_likelihood"] + math.log(2), abs=1e-3)
    assert half["gain"] == pytest.approx(whole["gain"], abs=1e-6)


def test_constant_dimensions_are_counted_and_left_out():
    x = SAMPLES["two peaks"][:, None]
    constant = torch.full_like(x, 3.3)
    alone, values = binarity(x), binarity(torch.cat((x, constant, 0 * x), dim=1))
    assert values["dead_dimensions"] == 2
    for key in SCALE_FREE | {"peak_distance"}:
        assert values[key] == pytest.approx(alone[key])
    floor = -0.5 * math.log(2 * math.pi * 1e-6)
    assert values["log_likelihood"] == pytest.approx((alone["log_likelihood"] + 2 * floor) / 3)
    assert values["std"] == pytest.approx((alone["std"] + 2e-3) / 3)


@pytest.mark.parametrize("x", [torch.zeros(50, 3), torch.full((1, 4), 2.5), torch.full((2, 1), -1e30)])
def test_nothing_alive_is_defined(x):
    assert binarity(x) == pytest.approx(
        {
            "log_likelihood": -0.5 * math.log(2 * math.pi * 1e-6),
            "std": 1e-3,
            "peak_distance": 0,
            "standardised_log_likelihood": GAUSSIAN,
            "gain": 0,
            "dead_dimensions": x.shape[1],
        }
    )


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.lists(st.one_of(st.floats(-1e100, 1e100), st.sampled_from([0.0, 1.0])), min_size=1, max_size=8))
def test_never_nan(values):
    result = binarity(torch.tensor(values, dtype=torch.float64)[:, None])
    assert all(math.isfinite(v) for v in result.values())


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_non_finite_latents_are_refused(bad):
    x = torch.zeros(10, 3)
    x[4, 1] = bad
    with pytest.raises(ValueError, match="finite"):
        binarity(x)


@pytest.mark.parametrize("shape", [(0, 3), (5, 0), (5,), (2, 3, 4)])
def test_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match="shape"):
        binarity(torch.zeros(shape))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.int64])
def test_every_dtype_is_read_as_float64(dtype):
    x = (SAMPLES["two peaks"][:500, None] * 4).to(dtype)
    assert binarity(x) == binarity(x.double())


def test_the_same_latents_give_the_same_scores_and_stay_as_they_are():
    x = torch.stack(list(SAMPLES.values()), dim=1).float().requires_grad_()
    before = x.detach().clone()
    torch.manual_seed(1)
    first = binarity(x)
    torch.manual_seed(2)
    assert binarity(x) == first
    assert torch.equal(x, before)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_scores():
    x = torch.stack(list(SAMPLES.values()), dim=1)
    assert binarity(x.cuda()) == pytest.approx(binarity(x), abs=1e-3, rel=1e-3)


def test_the_width_is_the_mean_of_the_two_and_the_unit_of_their_distance():
    z = torch.randn(3000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    first = torch.arange(3000)[:, None] < 900
    values = binarity(torch.where(first, 0.1 * z - 1, 0.3 * z + 5))  # of 30 % and 70 % of the points
    assert values["std"] == pytest.approx(0.2, rel=0.05)
    assert values["peak_distance"] == pytest.approx(6 / 0.2, rel=0.05)


def test_few_latents_of_unit_variance_are_standardised_as_they_are():
    x = torch.linspace(-1, 1, 20, dtype=torch.float64)[:, None]
    values = binarity(x / x.std(correction=0))
    assert values["standardised_log_likelihood"] == pytest.approx(values["log_likelihood"], abs=1e-6)
