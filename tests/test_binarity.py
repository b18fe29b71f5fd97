"""`binenc.metrics.binarity` and `em` against scikit-learn, and what a score of two peaks must satisfy."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.datasets import load_digits
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits
from torch import nn

from binenc.loss import binary_loss
from binenc.metrics.binarity import BLOCK, GAUSSIAN, binarity, fit
from binenc.metrics.em import TOGETHER

N = 3000
SCALE_FREE = {"standardised_log_likelihood", "gain"}


def samples():
    """Points (N,) of many kinds, the same in every run."""
    generator = torch.Generator().manual_seed(7)
    z = torch.randn(N, generator=generator, dtype=torch.float64)
    u = torch.rand(N, generator=generator, dtype=torch.float64)
    side = torch.where(torch.rand(N, generator=generator) < 0.4, 1.0, -1.0).double()
    return {
        "two sharp peaks": side + 0.01 * z,
        "two peaks": side + 0.4 * z,
        "one peak": z,
        "one sharp peak": 1e-4 * z,
        "constant": torch.full_like(z, 3.3),
        "dead": torch.zeros_like(z),
        "Cauchy": (math.pi * (u - 0.5)).tan(),
        "Student": z / (0.05 + u).sqrt(),
        "half zeros": (side + z).relu(),
        "half zeros, sharp": (side + 0.01 * z).relu(),
        "half zeros, large": 1e3 * z.relu(),
        "almost all zeros": (z - 2.5).relu(),
        "narrow on wide": torch.where(side > 0, 0.05 * z + 0.2, z),
        "tiny cluster": torch.where(u < 1e-3, 10 + 0.1 * z, z),
        "one outlier": torch.where(u == u.max(), 100.0, z),
        "offset": 1e3 + side + 0.3 * z,
        "distant": 1e5 + 0.1 * (side + 0.1 * z),
        "small": 1e-2 * (side + 0.1 * z),
        "large": 1e2 * (side + 0.1 * z),
        "skewed": z.exp(),
        "uniform": u,
        "ordered": (side + 0.4 * z).sort().values,
        "two values": side,
    }


SAMPLES = samples()


def oracle(x):
    """Mean log-likelihood per point of scikit-learn's mixture on each dimension of x (N, d)."""
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of constant dimensions
        columns = [c[:, None] for c in x.double().numpy().T]
        return np.array([GaussianMixture(2, random_state=0).fit(c).score(c) for c in columns])


def standardise(x):
    x = x.double() - x.double().mean(0)
    return x / x.std(0, correction=0)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """Threads are of no use to tensors this small, and wait for each other where others compute."""
    n = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n)


@pytest.fixture(scope="module")
def latents():
    """Penultimate activations of digits after a short training of each architecture: (1797, 24) each."""
    digits = load_digits()
    images, labels = torch.tensor(digits.data).float() / 8 - 1, torch.tensor(digits.target)
    result = {}
    for name in ("binary_encoding", "linear_penultimate", "nonlinear_penultimate", "no_penultimate"):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            wide = 24 if name == "no_penultimate" else 64
            backbone = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, wide), nn.ReLU())
            if name != "no_penultimate":
                backbone.append(nn.Linear(64, 24))
            if name == "nonlinear_penultimate":
                backbone.append(nn.ReLU())
            classifier = nn.Linear(24, 10)
            optimiser = torch.optim.Adam([*backbone.parameters(), *classifier.parameters()], lr=3e-3)
            for _ in range(12):
                for batch in torch.randperm(len(images)).split(128):
                    x = backbone(images[batch])
                    loss = nn.functional.cross_entropy(classifier(x), labels[batch])
                    if name == "binary_encoding":
                        loss = loss + 10 * binary_loss(x)
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
        result[name] = backbone(images).detach()
    return result


def well_formed(x, m):
    """What holds of every fit: the score is that of the parameters, over all points."""
    w, m1, s = (t[:, None] for t in (m.weights, m.means, m.stds))
    log_normal = -0.5 * ((x.double().T[:, :, None] - m1) / s).square() - (s * math.sqrt(2 * math.pi)).log()
    score = (w.log() + log_normal).logsumexp(2).mean(1)
    torch.testing.assert_close(m.log_likelihood, score, atol=1e-9, rtol=0)
    torch.testing.assert_close(m.weights.sum(1), torch.ones(x.shape[1]).double())
    assert (m.means[:, 0] <= m.means[:, 1]).all()
    assert (m.stds >= 0.99e-3).all()


@pytest.mark.parametrize("name", SAMPLES)
def test_at_least_the_likelihood_of_scikit_learn(name):
    x = SAMPLES[name][:, None]
    m = fit(x)
    well_formed(x, m)
    assert m.log_likelihood.numpy() >= oracle(x) - 1e-3
    if m.constant.item():
        assert m.standardised_log_likelihood.item() == GAUSSIAN
    else:
        assert m.standardised_log_likelihood.numpy() >= oracle(standardise(x)) - 1e-3


@pytest.mark.parametrize(
    "architecture", ["binary_encoding", "linear_penultimate", "nonlinear_penultimate", "no_penultimate"]
)
def test_at_least_the_likelihood_of_scikit_learn_on_latents(latents, architecture):
    x = latents[architecture]
    m = fit(x)
    well_formed(x, m)
    assert (m.log_likelihood.numpy() >= oracle(x) - 1e-3).all()
    living = ~m.constant
    scores = m.standardised_log_likelihood[living].numpy()
    assert (scores >= oracle(standardise(x[:, living])) - 1e-3).all()


@pytest.mark.parametrize("far", [1, 7])
def test_the_score_of_a_neuron_that_hardly_ever_fires(far):
    """So many points alike, and so far from the rest: a sum over them must not drift."""
    n = 60_000
    x = torch.zeros(n, 2, dtype=torch.float64)
    x[-far:] = torch.tensor([math.sqrt(n / far), 3.0])  # of unit variance, and of any
    m = fit(x)
    well_formed(x, m)
    assert m.standardised_log_likelihood[0].item() == pytest.approx(m.log_likelihood[0].item(), abs=1e-4)


def test_dimensions_do_not_see_each_other():
    x = torch.stack(list(SAMPLES.values()), dim=1)
    together, alone = fit(x), [fit(column[:, None]) for column in x.T]
    torch.testing.assert_close(together.log_likelihood, torch.cat([m.log_likelihood for m in alone]))
    torch.testing.assert_close(together.stds, torch.cat([m.stds for m in alone]))


def test_how_many_are_fitted_at_once_changes_nothing(monkeypatch):
    """One dimension of so many points, its zeros counted as one point, or all of them as on a GPU."""
    x = (
        torch.randn(70_000, 3, generator=torch.Generator().manual_seed(0))
        .add_(torch.tensor([0, 1, 9]))
        .relu_()
    )
    alone = fit(x)
    for size in (BLOCK, TOGETHER):
        monkeypatch.setitem(size, "cpu", size["cuda"])
    together = fit(x)
    for field in dataclasses.fields(together):
        torch.testing.assert_close(getattr(together, field.name), getattr(alone, field.name))


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


def test_the_tiny_cluster_is_found():
    m = fit(SAMPLES["tiny cluster"][:, None])
    assert m.means[0, 1] == pytest.approx(10, abs=0.2)
    assert m.weights[0, 1] < 3e-3


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


@pytest.mark.parametrize("kind", ["two peaks", "half zeros", "Student", "skewed", "one peak", "tiny cluster"])
def test_the_order_of_more_points_than_the_sample_hardly_matters(kind):
    x = SAMPLES[kind][:, None]
    assert fit(x.sort(dim=0).values).log_likelihood.item() == pytest.approx(
        fit(x).log_likelihood.item(), abs=2e-3
    )


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
