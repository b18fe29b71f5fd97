"""Codes and class means whose place is known: on a hypercube, on a simplex, on both, on neither."""

import math

import numpy as np
import pytest
import torch
from scipy.linalg import hadamard
from scipy.stats import ortho_group

from binenc.geometry import (
    equiangularity,
    hamming,
    off_vertices,
    pairs,
    plotkin_bound,
    rotated_off_vertices,
    simplex,
    within_classes,
)
from binenc.metrics.neural_collapse import neural_collapse

RNG = np.random.default_rng(0)
SIMPLICES = [hadamard(64)[:10] > 0, np.eye(10, dtype=bool), hadamard(16)[:, 1:][:16] > 0]


def test_hamming_counts_the_bits_that_differ():
    book = RNG.random((5, 9)) > 0.5
    found = hamming(book)
    for i in range(5):
        for j in range(5):
            assert found[i, j] == sum(a != b for a, b in zip(book[i], book[j], strict=True))
    assert (hamming(torch.from_numpy(book)).numpy() == found).all()
    assert sorted(pairs(found)) == sorted(found[i, j] for i in range(5) for j in range(i))


def test_codes_that_reach_the_bound_meet_it():
    assert plotkin_bound(4, 3) == 2  # the even vertices of a cube
    assert plotkin_bound(16, 15) == pairs(hamming(SIMPLICES[2])).min() == 8


@pytest.mark.parametrize("book", SIMPLICES)
def test_codes_at_equal_distances_are_a_simplex_however_large(book):
    assert np.ptp(pairs(hamming(book))) == 0
    assert equiangularity(book.astype(float)) == pytest.approx(0, abs=1e-7)


def test_equiangularity_is_that_of_the_metric():
    means = RNG.normal(size=(10, 16))
    classes = torch.arange(10).repeat(2)
    latents = torch.tensor(np.concatenate([means, means]))
    of_points = neural_collapse(latents, classes, 10, torch.ones(10, 16), torch.zeros(20, 10))
    assert equiangularity(means) == pytest.approx(of_points["equiangularity"])
    assert equiangularity(means) > 0.1


@pytest.mark.parametrize("count", [[5, 5, 5, 5], [980, 1135, 1032, 1010, 982, 892]])
def test_a_simplex_of_unequal_classes_is_that_of_the_metric(count):
    """Of points at the vertices: 0 only where the classes are equally large."""
    c = len(count)
    labels = torch.arange(c).repeat_interleave(torch.tensor(count))
    points = torch.eye(c, dtype=torch.float64)[labels]
    of_points = neural_collapse(points, labels, c, torch.ones(c, c), points)
    found = simplex(np.array(count))
    assert found == pytest.approx({m: of_points[m] for m in found}, abs=1e-12)
    assert (found["equinorm"] > 1e-12) == (len(set(count)) > 1)


def test_points_within_a_class_are_in_the_unit_of_vertices():
    """Two values 6 apart in each dimension, and points with the variance 4 about their class mean."""
    book = np.array([[0, 1], [1, 1], [1, 0]], dtype=bool)
    means = np.where(book, 4.0, -2.0)
    assert within_classes(means, book, trace=8.0) == pytest.approx(2 / 3)
    assert within_classes(means * 10, book, trace=800.0) == pytest.approx(2 / 3)
    assert math.isnan(within_classes(means, np.ones_like(book), trace=8.0))


def test_two_rows_have_no_spread_of_angles():
    assert math.isnan(equiangularity(np.array([[1.0, 0.0], [0.0, 1.0]])))
    assert math.isnan(equiangularity(np.array([[1.0, 0.0]])))
    assert math.isnan(equiangularity(np.empty((0, 2))))


def test_a_row_at_the_mean_has_no_angle():
    assert math.isnan(equiangularity(np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.0]])))


def test_means_on_the_vertices_of_a_hypercube_anywhere_are_not_off_them():
    book = SIMPLICES[0]
    low, high = RNG.normal(size=64) - 3, RNG.normal(size=64) + 3
    assert off_vertices(np.where(book, high, low), book) == pytest.approx(0, abs=1e-12)


def test_off_vertices_is_the_scatter_in_units_of_half_the_distance():
    book = np.array([[0], [0], [1], [1]], bool)
    means = np.array([[-1.1], [-0.9], [0.8], [1.2]])
    expected = math.sqrt((0.1**2 * 2 + 0.2**2 * 2) / 4)
    assert off_vertices(means, book) == pytest.approx(expected)
    assert off_vertices(10 * means + 7, book) == pytest.approx(expected)


def test_dimensions_whose_values_are_farther_apart_weigh_more():
    book = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], bool)
    means = np.array([[-1.1, -13.0], [-0.9, 7.0], [0.9, -7.0], [1.1, 13.0]])  # off ± 1 and ± 10
    assert off_vertices(means, book) == pytest.approx(math.sqrt((0.1**2 + 3**2) / (1**2 + 10**2)))


def test_a_dimension_with_one_bit_for_all_is_left_out():
    book = np.array([[0, 1], [1, 1]], bool)
    means = np.array([[-1.0, 3.0], [1.0, 9.0]])
    assert off_vertices(means, book) == 0
    assert math.isnan(off_vertices(means[:, 1:], book[:, 1:]))


@pytest.mark.parametrize("book", SIMPLICES)
def test_rotated_is_what_rotations_of_the_whole_space_make_of_class_means(book):
    means = np.where(book, 2.0, -2.0) + RNG.normal(size=book.shape) / 9
    turned = [means @ ortho_group.rvs(book.shape[1], random_state=seed) for seed in range(50)]
    expected = np.mean([off_vertices(rows, rows > 0) for rows in turned])
    assert rotated_off_vertices(means) == pytest.approx(expected, rel=0.1)
    assert rotated_off_vertices(turned[0]) == pytest.approx(expected, rel=0.1)
    assert off_vertices(means, book) < 0.2 < 0.4 < expected
