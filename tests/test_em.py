"""`binenc.metrics.em` by the mixtures of `fit`: at least the likelihood of scikit-learn's, on any points."""

import dataclasses
import math
import warnings

import numpy as np
import pytest
import torch
from points import SAMPLES
from sklearn.mixture import GaussianMixture
from threadpoolctl import threadpool_limits

from binenc.metrics import em
from binenc.metrics.binarity import BLOCK, GAUSSIAN, fit

pytestmark = pytest.mark.usefixtures("one_thread")


def oracle(x):
    """Mean log-likelihood per point of scikit-learn's mixture on each dimension of x (N, d)."""
    with warnings.catch_warnings(), threadpool_limits(1):
        warnings.simplefilter("ignore")  # of constant dimensions
        columns = [c[:, None] for c in x.double().numpy().T]
        return np.array([GaussianMixture(2, random_state=0).fit(c).score(c) for c in columns])


def standardise(x):
    x = x.double() - x.double().mean(0)
    return x / x.std(0, correction=0)


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
    """One dimension of so many points, those at 0 counted, or all of them as on a GPU."""
    x = (
        torch.randn(70_000, 3, generator=torch.Generator().manual_seed(0))
        .add_(torch.tensor([0, 1, 9]))
        .relu_()
    )
    alone = fit(x)
    for size in (BLOCK, em.TOGETHER):
        monkeypatch.setitem(size, "cpu", size["cuda"])
    monkeypatch.setattr(em, "ALONE", len(x) + 1)
    together = fit(x)
    for field in dataclasses.fields(together):
        torch.testing.assert_close(getattr(together, field.name), getattr(alone, field.name))


def test_the_tiny_cluster_is_found():
    m = fit(SAMPLES["tiny cluster"][:, None])
    assert m.means[0, 1] == pytest.approx(10, abs=0.2)
    assert m.weights[0, 1] < 3e-3


@pytest.mark.parametrize("kind", ["two peaks", "half zeros", "Student", "skewed", "one peak", "tiny cluster"])
def test_the_order_of_more_points_than_the_sample_hardly_matters(kind):
    x = SAMPLES[kind][:, None]
    assert fit(x.sort(dim=0).values).log_likelihood.item() == pytest.approx(
        fit(x).log_likelihood.item(), abs=2e-3
    )
