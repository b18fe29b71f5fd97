"""Intervals against scipy's own tests, and what is decided by them."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from binenc.verdict import CONFIDENCE, Effect, decide, interval

values = st.lists(st.floats(-100, 100), min_size=2, max_size=8)


@given(values)
def test_the_interval_is_that_of_scipy(x):
    x = np.array(x)
    found = interval(x)
    assert found.mean == pytest.approx(x.mean(), abs=1e-9)
    if x.std() > 1e-9:
        low, high = stats.t.interval(CONFIDENCE, len(x) - 1, x.mean(), stats.sem(x))
        assert (found.low, found.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_a_mean_with_a_value_that_is_not_defined_is_not_defined():
    assert all(math.isnan(x) for x in interval([1.0, math.nan, 2.0]))


@given(st.lists(st.tuples(st.floats(-10, 10), st.floats(-10, 10)), min_size=3, max_size=8))
def test_a_paired_difference_holds_where_the_paired_t_test_rejects(pairs):
    a, b = np.array(pairs).T
    if (a - b).std() < 1e-6:
        return
    test = stats.ttest_rel(a, b)
    state = Effect("", pd.Series(a - b), "", above=0.0).state
    sure = test.pvalue < 1 - CONFIDENCE
    if abs(test.pvalue - (1 - CONFIDENCE)) > 1e-9:
        assert state == ("open" if not sure else "holds" if (a - b).mean() > 0 else "fails")


@given(values, st.floats(-100, 100))
def test_a_constant_shifts_the_interval(x, by):
    plain, shifted = interval(x), interval(np.array(x) + by)
    assert np.array(shifted) == pytest.approx(np.array(plain) + by, abs=1e-6)


@given(values)
def test_a_ratio_is_shown_as_the_exponential_of_its_logarithm(x):
    e = Effect("", pd.Series(x) / 50, "", above=0.0, ratio=True)
    assert e.shown == pytest.approx(np.exp(np.minimum(e.interval, 700)), rel=1e-9)
    assert e.claimed == "> 1"


def test_decide_names_what_failed():
    fine = Effect("good", pd.Series([1.0, 1.1, 1.2]), "", above=0.0)
    bad = Effect("bad", pd.Series([-1.0, -1.1, -1.2]), "", above=0.0)
    assert decide([fine, bad], False) == ("not reproduced", "beyond the bound: bad")
    assert decide([fine, bad], True) == ("reproduced", "where the claim puts it: good")
    assert decide([bad, bad], True)[0] == "not reproduced"
    unsure = Effect("unsure", pd.Series([-1.0, 0.0, 1.2]), "", above=0.0)
    assert decide([bad, unsure], True)[0] == "undecided"
    assert decide([bad, unsure], False)[0] == "not reproduced"
