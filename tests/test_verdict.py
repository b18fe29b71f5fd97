"""Intervals against scipy's own tests, and what is decided by them."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from binenc.claims.effect import CONFIDENCE, Effect, interval
from binenc.claims.paper import CLAIMS
from binenc.claims.part import Part
from binenc.claims.switches import ordered
from binenc.claims.verdict import Verdict, decide

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


@pytest.mark.parametrize(
    ("bounds", "claimed"),
    [((-0.5, 0.5), "within ± 0.5"), ((0.25, 0.75), "0.25 to 0.75"), ((0.25, np.inf), "> 0.25")],
)
def test_what_is_claimed_names_each_bound(bounds, claimed):
    assert Effect("", pd.Series([0.5]), "", *bounds).claimed == claimed


def test_an_interval_ends_where_the_values_must():
    points = Effect("", pd.Series([-90.0, 90.0]), "percentage points")
    assert points.interval == (0, -100, 100)
    assert Effect("", pd.Series([0.5, 1.0]), "share of points").interval == (0.75, 0, 1)
    assert Effect("", pd.Series([-4.0, 4.0]), "epochs", farthest=5).interval == (0, -5, 5)
    free = Effect("time", pd.Series([-20.0, -40.0, -90.0]), "epochs")
    assert free.interval.low == pytest.approx(-139.57, abs=0.01)


def test_support_is_counted_in_standard_errors():
    x = pd.Series([1.0, 2.0, 3.0])
    assert Effect("", x, "", above=0.5).support == pytest.approx(1.5 / stats.sem(x))
    assert Effect("", x, "", above=0.5, below=3.0).support == pytest.approx(1.0 / stats.sem(x))
    assert Effect("", x, "", below=0.5).support == pytest.approx(-1.5 / stats.sem(x))


def test_the_weakest_of_effects_without_width_is_the_nearest_to_its_bound():
    effects = tuple(Effect(f"{x}", pd.Series([x, x]), "", above=0.0) for x in (3.0, 4.0, 2.0))
    every, one = (next(c for c in CLAIMS if c.one_suffices is most) for most in (False, True))
    assert Verdict(every, "", "", "", "reproduced", "", effects).weakest.name == "2.0"
    assert Verdict(one, "", "", "", "reproduced", "", effects).weakest.name == "4.0"


def test_decide_names_what_failed():
    fine = Effect("good", pd.Series([1.0, 1.1, 1.2]), "", above=0.0)
    bad = Effect("bad", pd.Series([-1.0, -1.1, -1.2]), "", above=0.0)
    assert decide([fine, bad], False) == ("not reproduced", "beyond the bound: bad")
    assert decide([fine, bad], True) == ("reproduced", "these lie where the claim puts them: good")
    assert decide([bad, bad], True)[0] == "not reproduced"
    unsure = Effect("unsure", pd.Series([-1.0, 0.0, 1.2]), "", above=0.0)
    assert decide([bad, unsure], True)[0] == "undecided"
    assert decide([bad, unsure], False)[0] == "not reproduced"


@given(
    st.sampled_from([360, 1437, 10_000, 60_000]),
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 40)), min_size=2, max_size=5),
)
def test_leads_in_counts_of_points_are_compared_as_whole_numbers(n, counts):
    rows = []
    for seed, (lead, errors) in enumerate(counts):
        for architecture, wrong in (
            ("binary_encoding", errors + 3 - lead),
            ("linear_penultimate", errors + 3),
        ):
            rows.append((architecture, seed, 0, "test", "accuracy", (n - wrong) / n))
    part = Part(pd.DataFrame(rows, columns=["architecture", "seed", "epoch", "split", "metric", "value"]))
    leads = [lead for lead, _ in counts]
    effect = Effect("", 100 * part.lead("accuracy", "linear_penultimate", "test"), "", above=0.0)
    assert effect.without_width == (len(set(leads)) == 1)
    assert effect.on_side == (sum(leads) > 0)
    assert (effect.support < 0) == (sum(leads) < 0)


@pytest.mark.parametrize(
    ("means", "one_suffices", "on_side", "lean"),
    [
        ([1, math.nan], False, None, ""),
        ([1, math.nan], True, True, "for"),
        ([-1, math.nan], False, False, "against"),
        ([-1, math.nan], True, None, ""),
        ([0, math.nan], False, False, ""),
        ([1, 1], False, True, "for"),
        ([-1, -1], True, False, "against"),
        ([], False, None, ""),
    ],
)
def test_a_mean_that_is_not_defined_is_on_no_side(means, one_suffices, on_side, lean):
    claim = next(c for c in CLAIMS if c.one_suffices == one_suffices)
    effects = tuple(Effect("", pd.Series([float(mean)]), "", above=0.0) for mean in means)
    verdict = Verdict(claim, "", "", "", "undecided", "", effects)
    assert verdict.on_side is on_side
    assert verdict.lean == lean


@pytest.mark.parametrize("exact", [True, False])
def test_no_common_seed_decides_nothing(exact):
    nothing = Effect("x", pd.Series([], dtype=float), "", above=0.0, exact=exact)
    assert decide([nothing], False) == ("undecided", "no seed has all that is compared")


@pytest.mark.parametrize(
    ("values", "how", "said"),
    [
        ([0.2, 0.2], {"unit": "percentage points"}, "+0.200 [+0.200, +0.200]"),
        ([-12.0, -12.0], {"unit": "percentage points"}, "−12.00 [−12.00, −12.00]"),
        ([0.2, 0.2], {"unit": "nats per value"}, "+0.20 [+0.20, +0.20]"),
        ([0.5, 0.5], {"unit": "share of points"}, "0.5000 [0.5000, 0.5000]"),
        ([0.9, 1.0], {"unit": "share of points"}, "0.9500 [0.3147, 1.0000]"),
        ([0.0, 0.1], {"unit": "share of evaluations"}, "0.0500 [0.0000, 0.6853]"),
        ([math.log(2)] * 2, {"unit": "last / first", "ratio": True}, "×\N{NO-BREAK SPACE}2.00 [2.00, 2.00]"),
        ([1234.0, 1234.0], {"unit": "parameters", "exact": True}, "+1,234"),
        ([0.0, 0.0], {"unit": "parameters", "exact": True}, "0"),
        ([2.0], {"unit": "epochs"}, "+2.00"),
        ([math.nan, 1.0], {"unit": "epochs"}, "not defined"),
    ],
)
def test_an_effect_is_written_as_its_unit_asks(values, how, said):
    assert str(Effect("", pd.Series(values), **how)) == said


def test_protocols_go_from_written_by_single_switches_to_released():
    switches = ["as_written,softmax_twice=true", "as_written,dropout=first_epoch"]
    asked = ["as_released", *switches, "as_written", *switches]
    assert ordered(asked) == ["as_written", *switches, "as_released"]


@pytest.mark.parametrize(("number", "tied"), [(2, True), (6, False)])
def test_a_refutation_is_tied_if_all_that_it_needs_is(number, tied):
    """Of claim 2 both effects must fail, of claim 6 one is enough."""
    found = tuple(Effect("", pd.Series([-1.0, x]), "", above=0.0) for x in (-1.0, -1.1))
    claim = CLAIMS[number - 1]
    v = Verdict(claim, "", "", "as_written", *decide(found, claim.one_suffices), found)
    assert (v.verdict, v.tied) == ("not reproduced", tied)


def test_the_weakest_effect_has_a_width_if_one_has():
    tied, wide = (
        Effect(name, pd.Series(values), "percentage points", above=0.0)
        for name, values in (("tied", [-0.005] * 3), ("wide", [-0.009, -0.011, -0.010]))
    )
    assert (tied.state, wide.state) == ("fails", "fails")
    for several in ((tied, wide), (wide, tied)):
        v = Verdict(CLAIMS[5], "p", "e", "as_written", "not reproduced", "", several)
        assert v.weakest is wide


def test_remarks_are_grouped_by_the_effects_that_they_are_on():
    a, b, c = (Effect(name, pd.Series([1.0, 1.1]), "unit", above=0.0) for name in "abc")
    some = [replace(a, note="all; two"), replace(b, note="first; all; two; last")]
    _, why = decide([*some, replace(c, note="all")], one_suffices=False)
    assert why.endswith(" puts it. On all 3: all. On a; b: two. On b: first; last")
