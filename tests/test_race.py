"""Curves of a measure of neural collapse of which it is known which is where first, and how far ahead."""

import math

import numpy as np
import pytest

from binenc.claims.race import FLOOR, log_area, race

EPOCHS = np.array([0.0, 5.0, 10.0])
FIRST, BETTER, WORSE = [1.0, 0.1, 0.01], [1.0, 0.7, 0.5], [2.0, 0.9, 0.8]


def run(*curves, epochs=EPOCHS):
    return race(np.array(curves), epochs)


def test_time_is_between_arrivals_at_the_best_final_value_of_the_rest():
    assert run(FIRST, BETTER, WORSE).time == 5 - 10
    assert run(BETTER, FIRST, WORSE).time == 15 - 10  # one evaluation past the last
    assert run(FIRST, FIRST).time == 0


def test_what_is_special_about_a_time_is_told():
    flags = {
        "never": run(BETTER, FIRST),
        "at_once": run([0.5, 0.5, 0.5], BETTER),
        "from_start": run(FIRST, [0.3, 0.4, 0.5], WORSE),
    }
    for name, found in flags.items():
        assert [getattr(found, flag) for flag in flags] == [flag == name for flag in flags]


def test_area_is_a_ratio_of_geometric_means_over_the_epochs():
    found = run(FIRST, BETTER, WORSE)
    first, better = (math.exp((math.log(a * b) + math.log(b * c)) / 4) for a, b, c in (FIRST, BETTER))
    assert math.exp(found.area) == pytest.approx(first / better)
    assert math.exp(run(FIRST, np.multiply(FIRST, 3)).area) == pytest.approx(1 / 3)
    uneven = log_area(np.array([1.0, 1.0, math.e]), np.array([0.0, 9.0, 10.0]))
    assert uneven == pytest.approx(0.05)


def test_what_float32_does_not_resolve_counts_as_the_floor():
    assert run([0.0, 0.0, 0.0], [FLOOR, FLOOR, FLOOR]).area == 0
    assert log_area(np.full(3, 1e-10), EPOCHS) == pytest.approx(math.log(1e-10))
    assert log_area(np.zeros(3), EPOCHS) == pytest.approx(math.log(1e-12))


def test_ahead_is_below_all_of_the_rest():
    assert run(FIRST, BETTER, [1.0, 0.05, 0.8]).ahead.tolist() == [0, 0, 1]


def test_apart_is_the_worst_of_the_first_beside_the_best_of_the_rest():
    assert math.exp(run(FIRST, BETTER, WORSE).apart) == pytest.approx(1.0 / 0.5)
    assert math.exp(run([0.2, 0.4, 0.1], BETTER, WORSE).apart) == pytest.approx(0.4 / 0.5)
    assert run([0.0, 0.0, 0.0], [0.0, 1.0, 1.0]).apart == 0  # both at the floor
    assert math.exp(run(FIRST, [np.nan, 0.7, 0.5]).apart) == pytest.approx(0.1 / 0.5)
    assert math.isnan(run(FIRST, [np.nan] * 3).apart)


def test_an_evaluation_without_a_value_is_no_time_and_in_no_area():
    gap = [np.nan, 0.7, 0.5]
    found = run(FIRST, gap)
    assert found.time == run(FIRST, BETTER).time
    assert found.area == pytest.approx(run(FIRST[1:], gap[1:], epochs=EPOCHS[1:]).area)
    assert np.isnan(found.ahead).tolist() == [True, False, False]
    assert math.isnan(run(FIRST, [np.nan, np.nan, 0.5]).area)
    assert math.isnan(run(FIRST, [1.0, 0.5, np.nan]).time)
