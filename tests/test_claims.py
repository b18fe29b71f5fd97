"""Verdicts on tables whose answer is known."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from worlds import (
    BINARY,
    FALLING,
    FLAT,
    LINEAR,
    NONE,
    NONLINEAR,
    REFUTED,
    RISING,
    judge,
    paper_world,
    table,
    verdict_of,
)

from binenc.claims import judging, paper
from binenc.claims.judging import to_frame
from binenc.profile import ARCHITECTURES

NUMBERS = range(1, 11)


def test_ten_claims_are_numbered_in_order_and_say_what_they_test():
    assert [c.number for c in paper.CLAIMS] == list(NUMBERS)
    assert len({c.slug for c in paper.CLAIMS}) == 10
    for c in paper.CLAIMS:
        assert c.statement
        assert c.place.startswith(("Section 3", "Appendix B"))
        assert len(c.test) > 40
        assert "{" not in c.test
    assert "0.99" in paper.CLAIMS[2].test
    assert "± 0.5" in paper.CLAIMS[6].test


@pytest.mark.parametrize("number", NUMBERS)
def test_every_claim_is_reproduced_where_it_holds(number):
    assert verdict_of(number) == "reproduced"


@pytest.mark.parametrize("number", NUMBERS)
def test_every_claim_is_refuted_where_one_effect_is_on_the_other_side(number):
    assert verdict_of(number, REFUTED[number]) == "not reproduced"


@pytest.mark.parametrize("number", range(1, 10))
def test_seeds_that_scatter_widely_leave_every_claim_undecided(number):
    assert verdict_of(number, noise=0.3) == "undecided"


@pytest.mark.parametrize("number", range(1, 10))
def test_one_seed_decides_nothing_and_shows_the_effect(number):
    v = judge(number, table(paper_world(), seeds=1))
    assert v.verdict == "undecided"
    assert "one seed" in v.why
    assert math.isfinite(v.weakest.shown.mean)
    assert math.isnan(v.weakest.shown.low)
    assert v.n_seeds == to_frame([v]).n_seeds[0] == 1


@pytest.mark.parametrize("number", range(1, 10))
@pytest.mark.parametrize("split", ["train", "test"])
def test_claims_are_about_the_training_set_but_for_accuracies(number, split):
    of_split = {(*key, split): curve for key, curve in REFUTED[number].items()}
    about = {5: ["test"], 7: ["train", "test"]}.get(number, ["train"])
    assert verdict_of(number, of_split) == ("not reproduced" if split in about else "reproduced")


def test_the_number_of_parameters_needs_no_second_seed():
    assert verdict_of(10, seeds=1) == "reproduced"


@pytest.mark.parametrize("changed", [{}, {("log_likelihood", LINEAR): RISING}, {("std", LINEAR): FALLING}])
def test_of_claim_2_one_half_is_enough(changed):
    assert verdict_of(2, changed) == "reproduced"


def test_binary_encoding_must_itself_share_codes_more_than_the_others():
    assert verdict_of(4, {("code_share", BINARY): (0.0, 0.0, 0.05)}) == "not reproduced"


@pytest.mark.parametrize(
    ("lead", "verdict"),
    [(0.003, "reproduced"), (0.0049, "reproduced"), (0.0051, "not reproduced"), (0.02, "not reproduced")],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_comparable_means_within_half_a_percentage_point(lead, verdict, sign):
    assert verdict_of(7, {("accuracy", LINEAR): (0.5, 0.9, 0.96 + sign * lead)}) == verdict


def test_an_interval_that_crosses_the_margin_leaves_comparability_open():
    assert verdict_of(7, {("accuracy", LINEAR): (0.5, 0.9, 0.965)}, noise=1e-4) == "undecided"


@pytest.mark.parametrize("number", [5, 6])
def test_equal_accuracies_are_undecided(number):
    same = {("accuracy", a): (0.5, 0.9, 1.0) for a in ARCHITECTURES}
    v = judge(number, table(paper_world() | same, noise=0.0))
    assert v.verdict == "undecided"


def test_the_weakest_comparison_is_the_one_reported():
    v = judge(5, table(paper_world() | {("accuracy", NONE): (0.5, 0.9, 0.979)}))
    assert v.weakest.name == "binary encoding − no penultimate"
    assert v.weakest.shown.mean == pytest.approx(0.1, abs=1e-3)
    assert all(e.decides for e in v.effects)


@pytest.mark.parametrize(
    ("others", "lean"), [((0.98,) * 3, ""), ((0.979, 0.98, 0.98), ""), ((0.97,) * 3, "for")]
)
def test_means_on_their_bounds_lean_nowhere(others, lean):
    ends = dict(zip(ARCHITECTURES, (0.98, *others), strict=True))
    world = paper_world() | {("accuracy", a): (0.5, 0.9, end) for a, end in ends.items()}
    assert judge(6, table(world, noise=0.0, seeds=1)).lean == lean
    world[("accuracy", NONE)] = (0.5, 0.9, 0.981)
    assert judge(6, table(world, noise=0.0, seeds=1)).lean == "against"


def test_of_a_claim_that_one_half_suffices_for_that_half_is_reported():
    v = judge(2, table(paper_world() | {("std", LINEAR): FALLING}))
    assert v.weakest.name == "log-likelihood"


@pytest.mark.parametrize("number", NUMBERS)
def test_missing_architectures_leave_a_claim_undecided_and_are_named(number):
    t = table(paper_world())
    wanted = LINEAR if number in (2, 7, 10) else BINARY
    v = judge(number, t[t.architecture != wanted])
    assert v.verdict == "undecided"
    assert ARCHITECTURES[wanted] in v.why
    assert to_frame([v]).n_seeds[0] == 0


@pytest.mark.parametrize(
    ("number", "metric"), [(1, "std"), (3, "bit_agreement"), (8, "max_angle"), (10, "n_parameters")]
)
def test_missing_metrics_are_named(number, metric):
    t = table(paper_world())
    v = judge(number, t[t.metric != metric])
    assert v.verdict == "undecided"
    assert metric in v.why


@pytest.mark.parametrize("number", [1, 2, 8, 9])
def test_a_single_evaluated_epoch_shows_no_change(number):
    t = table(paper_world())
    v = judge(number, t[t.epoch == 0])
    assert v.verdict == "undecided"
    assert "more than one evaluated epoch" in v.why


@pytest.mark.parametrize(("number", "metric"), [(1, "std"), (5, "accuracy"), (8, "equiangularity")])
def test_a_value_that_is_not_defined_is_not_left_out(number, metric):
    t = table(paper_world())
    t.loc[(t.metric == metric) & (t.architecture == BINARY) & (t.seed == 1), "value"] = math.nan
    v = judge(number, t)
    assert v.verdict == "undecided"
    assert "not defined" in v.why
    assert len(to_frame([v])) == 1


def test_pairs_are_made_of_the_seeds_that_both_have():
    t = table(paper_world())
    t = t[~((t.architecture == NONE) & (t.seed == 2))]
    effects = {e.name: e.n_seeds for e in judge(5, t).effects}
    assert list(effects.values()) == [3, 3, 2]
    t = t[~((t.architecture == NONE) & (t.seed == 1)) & ~((t.architecture == BINARY) & (t.seed == 0))]
    v = judge(5, t)
    assert v.verdict == "undecided"
    assert "no seed" in v.why


def test_a_profile_that_is_no_evidence_decides_nothing():
    judged = judging.judge_table(table(paper_world()), {"quick": "too small"})
    assert {(v.verdict, v.why) for v in judged} == {("undecided", "too small")}
    assert all(v.effects for v in judged)


def test_experiments_and_protocols_are_judged_apart():
    both = pd.concat([table(paper_world()), table(paper_world() | REFUTED[3], protocol="as_released")])
    frame = to_frame(judging.judge_table(both))
    assert len(frame) == 20
    third = frame[frame.claim == 3].set_index("protocol").verdict
    assert third.to_dict() == {"as_written": "reproduced", "as_released": "not reproduced"}


@settings(max_examples=3)
@given(st.integers(0, 2**32 - 1))
def test_the_order_of_the_rows_does_not_matter(seed):
    t = pd.concat([table(paper_world(), noise=0.1), table(paper_world(), noise=0.2, protocol="as_released")])
    rows, order = np.random.default_rng(seed).permutation(len(t)), ["protocol", "claim"]
    judged = [judging.judge_table(x) for x in (t, t.iloc[rows])]
    plain, shuffled = (to_frame(some).sort_values(order) for some in judged)
    one, other = ({(v.claim.number, v.protocol): str(v.weakest) for v in some} for some in judged)
    assert one == other
    pd.testing.assert_frame_equal(plain.reset_index(drop=True), shuffled.reset_index(drop=True))


@settings(max_examples=4)
@given(st.floats(-0.1, 0.01))
def test_accuracies_that_all_move_together_change_no_effect_on_them(by):
    moved = {key: tuple(x + by for x in c) for key, c in paper_world().items() if key[0] == "accuracy"}
    for number in (5, 6, 7):
        plain, shifted = (judge(number, table(paper_world() | m, noise=0.0)) for m in ({}, moved))
        assert [e.interval.mean for e in shifted.effects] == pytest.approx(
            [e.interval.mean for e in plain.effects], abs=1e-9
        )


@pytest.mark.parametrize("number", NUMBERS)
def test_an_architecture_that_a_reader_added_is_not_asked_for(number, monkeypatch):
    before = judge(number, table(paper_world()))
    monkeypatch.setitem(ARCHITECTURES, "tanh_penultimate", "Tanh penultimate")
    after = judge(number, table(paper_world()))
    assert (after.verdict, after.why) == (before.verdict, before.why)


def test_where_one_half_is_enough_both_must_lean_against():
    half = {("log_likelihood", LINEAR): RISING, ("std", LINEAR): FLAT}
    assert judge(2, table(paper_world() | half, seeds=1, noise=0.0)).lean == ""


def test_an_effect_that_settles_a_claim_needs_no_second_seed_of_the_others():
    t = table(paper_world() | REFUTED[5])  # by non-linear penultimate
    v = judge(5, t[~((t.architecture == NONE) & (t.seed > 0))])
    assert (v.verdict, v.n_seeds) == ("not reproduced", 3)
    assert v.why.startswith("beyond the bound: binary encoding − non-linear penultimate")
    rises = table(paper_world() | {("std", LINEAR): FALLING})
    narrow = (rises.metric == "std") & (rises.architecture == LINEAR) & (rises.seed > 0)
    v = judge(2, rises[~narrow])
    assert (v.verdict, v.n_seeds) == ("reproduced", 3)
    t = table(paper_world())
    v = judge(5, t[~((t.architecture == NONE) & (t.seed > 0))])
    assert (v.verdict, v.n_seeds) == ("undecided", 1)
    assert v.why.startswith("one seed: no interval of binary encoding − no penultimate. ")


def test_the_best_of_the_others_is_so_on_the_seeds_that_all_have():
    t = table(paper_world(), noise=0.0)
    last = (t.metric == "accuracy") & (t.split == "test") & (t.epoch == t.epoch.max())
    for architecture, values in {
        BINARY: (0.980, 0.980, 0.960),
        LINEAR: (0.975, 0.975, 0.972),
        NONLINEAR: (0.976, 0.976, 0.0),
        NONE: (0.974, 0.974, 0.0),
    }.items():
        for seed, value in enumerate(values):
            t.loc[last & (t.architecture == architecture) & (t.seed == seed), "value"] = value
    t = t[~(t.architecture.isin([NONLINEAR, NONE]) & (t.seed == 2))]
    lead = next(e for e in judge(7, t).effects if e.name == "binary encoding − best other, test")
    assert lead.n_seeds == 2
    assert lead.interval.mean == pytest.approx(0.4)
