"""Eq. 1 against numpy, written out by hand."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import ortho_group

from binenc.loss import binary_loss, cross_entropy, total_loss
from binenc.protocol import AS_RELEASED, AS_WRITTEN

READINGS = {
    "exp_of_mean": lambda x: np.exp(np.sum(x * x) / x.size),
    "mean_of_exp": lambda x: np.sum(np.exp(x * x)) / x.size,
    "exp_of_norm": lambda x: sum(np.exp(sum(v * v for v in row)) for row in x) / len(x),
    "mean_square": lambda x: np.sum(1 + x * x) / x.size,
}


SEEDS = st.integers(0, 2**32 - 1)
SIDES = st.integers(1, 6)
SCALES = st.sampled_from([0, 1e-3, 1, 20])


def numpy_cross_entropy(logits, labels, twice=False):
    def softmax(z):
        e = np.exp(z - z.max(axis=1, keepdims=True))
        return e / e.sum(axis=1, keepdims=True)

    p = softmax(softmax(logits)) if twice else softmax(logits)
    return -np.mean(np.log(p[np.arange(len(labels)), labels]))


@pytest.mark.parametrize("reading", READINGS)
@given(SEEDS, SIDES, SIDES, SCALES)
def test_readings_of_binary_loss(reading, seed, n, d, scale):
    x = min(scale, 2) * np.random.default_rng(seed).normal(size=(n, d))
    found = binary_loss(torch.from_numpy(x), reading).item()
    assert found == pytest.approx(READINGS[reading](x), rel=1e-10)
    assert found >= 1


def test_readings_differ_and_are_one_at_zero():
    x = torch.tensor([[0.5, -1.0], [2.0, 0.0]], dtype=torch.float64)
    # squares 0.25, 1, 4, 0: their mean is 1.3125, the norms of the points are 1.25 and 4
    assert binary_loss(x).item() == pytest.approx(math.exp(1.3125))
    assert binary_loss(x, "mean_of_exp").item() == pytest.approx(
        (math.exp(0.25) + math.e + math.exp(4) + 1) / 4
    )
    assert binary_loss(x, "exp_of_norm").item() == pytest.approx((math.exp(1.25) + math.exp(4)) / 2)
    assert binary_loss(x, "mean_square").item() == pytest.approx(2.3125)
    for reading in READINGS:
        assert binary_loss(torch.zeros(3, 2), reading).item() == 1


def test_unknown_reading():
    with pytest.raises(ValueError, match=r"'exp'.*exp_of_mean, mean_of_exp, exp_of_norm, mean_square"):
        binary_loss(torch.zeros(1, 1), "exp")


@settings(max_examples=50)
@given(SEEDS, SIDES, SIDES, SCALES)
def test_cross_entropy_once_and_twice(seed, n, c, scale):
    rng = np.random.default_rng(seed)
    logits, labels = scale * rng.normal(size=(n, c)), rng.integers(c, size=n)
    for twice in (False, True):
        found = cross_entropy(torch.from_numpy(logits), torch.from_numpy(labels), twice).item()
        assert found == pytest.approx(numpy_cross_entropy(logits, labels, twice), abs=1e-9)
    assert found >= math.log(math.e + c - 1) - 1 - 1e-9


def test_softmax_twice_reaches_its_bound_and_no_lower():
    certain = 1000 * torch.eye(10, dtype=torch.float64)
    assert cross_entropy(certain, torch.arange(10)).item() == 0
    assert cross_entropy(certain, torch.arange(10), softmax_twice=True).item() == pytest.approx(1.4611501717)


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("protocol", [AS_WRITTEN, AS_RELEASED], ids=["as_written", "as_released"])
def test_total_loss_is_equation_1(protocol, reading):
    rng = np.random.default_rng(0)
    logits, latents, labels = rng.normal(size=(7, 4)), rng.normal(size=(7, 3)), rng.integers(4, size=7)
    expected = numpy_cross_entropy(logits, labels, twice=protocol is AS_RELEASED)
    protocol = protocol.model_copy(update={"loss_bin": reading})
    tensors = torch.from_numpy(logits), torch.from_numpy(latents), torch.from_numpy(labels)
    assert total_loss(*tensors, 10.0, protocol).item() == pytest.approx(
        expected + 10 * READINGS[reading](latents)
    )
    assert total_loss(*tensors, 0.0, protocol).item() == pytest.approx(expected)


def test_without_gamma_the_latents_get_no_gradient():
    latents = torch.full((2, 3), 100.0, requires_grad=True)  # exp(100^2) is infinite
    loss = total_loss(latents @ torch.ones(3, 2), latents, torch.tensor([0, 1]), 0.0, AS_WRITTEN)
    loss.backward()
    assert loss.item() == pytest.approx(math.log(2))
    assert latents.grad.isfinite().all()


@pytest.mark.parametrize(
    ("reading", "changes"),
    [("exp_of_mean", False), ("exp_of_norm", False), ("mean_square", False), ("mean_of_exp", True)],
)
def test_a_rotation_of_the_latents_changes_one_reading_alone(reading, changes):
    latents = torch.randn(50, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) / 2
    rotation = torch.tensor(ortho_group.rvs(8, random_state=0))
    before, after = binary_loss(latents, reading), binary_loss(latents @ rotation, reading)
    assert torch.isclose(before, after, rtol=1e-9).item() is not changes
