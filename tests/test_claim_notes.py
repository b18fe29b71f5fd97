"""What a verdict says beside its word: of scale, bits, a share still rising, intervals without width."""

import pandas as pd
import pytest
from worlds import BINARY, LINEAR, NONE, judge, paper_world, table

from binenc.claims.notes import ahead
from binenc.claims.pages import words

FREE = "judged by standardised log-likelihood it would be"
UNSURE = "with an interval that holds 0"


@pytest.mark.parametrize(
    ("share", "said"),
    [
        ((0.1, 0.9, 0.95), "still rising, by 5.00 percentage points in the last 5 epochs"),
        ((0.1, 0.955, 0.95), ""),
        ((0.1, 0.95, 0.95002), ""),
        ((0.1, 0.98, 0.95), "the mean share had been higher, 0.9800 after epoch 5"),
        ((0.985, 0.1, 0.95), "the mean share had been higher, 0.9850 after epoch 0"),
        ((0.1, 0.995, 0.95), "the mean share had been higher, 0.9950 after epoch 5"),
        ((0.1, 0.95, 0.999), ""),
        ((0.95,), ""),
    ],
)
def test_a_share_that_rises_or_was_higher_is_said_to_and_judged_all_the_same(share, said):
    v = judge(3, table(paper_world() | {("code_share", BINARY): share}))
    assert v.verdict == ("reproduced" if share[-1] > 0.99 else "not reproduced")
    assert ("still rising" in v.why or "had been" in v.why) is bool(said)
    assert said in v.why
    above = sum(x > 0.99 for x in share)
    first = f"the mean share is above 0.99 at {above} of {len(share)} evaluations, first after epoch 10"
    assert (first in v.why) is (share[-1] > 0.99)


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (0.999, "judged by agreement per bit, which the released code plots, it would be reproduced"),
        (0.99, "judged by agreement per bit, which the released code plots, it would be undecided"),
        (0.9, "beyond the bound: whole-code share"),
    ],
)
def test_where_the_milder_measure_says_otherwise_that_is_said(bits, said):
    world = paper_world() | {("code_share", BINARY): (0.96, 0.95), ("bit_agreement", BINARY): (0.9, bits)}
    v = judge(3, table(world))
    assert v.verdict == "not reproduced"
    assert v.why.endswith(said)


@pytest.mark.parametrize(
    ("standardised", "said"),
    [
        (
            (3.0, 2.0, 1.0),
            f"falls by 2.00 on average, so their scale makes the difference; {FREE} not reproduced",
        ),
        ((1.0, 2.0, 3.0), "rises by 2.00 on average"),
        (
            (1.0, 1.0, 1.0),
            f"stays as it is on average, {UNSURE}; {FREE} undecided",
        ),
    ],
)
def test_a_score_says_what_remains_without_the_scale(standardised, said):
    v = judge(1, table(paper_world() | {("standardised_log_likelihood", BINARY): standardised}))
    assert v.why.endswith(f"On log-likelihood: for standardised latents it {said}")


def test_where_the_score_itself_is_not_sure_to_move_the_scale_makes_no_difference():
    still = {(metric, BINARY): (1.0, 1.0) for metric in ("log_likelihood", "standardised_log_likelihood")}
    v = judge(1, table(paper_world() | still))
    assert "stays as it is on average" in v.why
    assert "difference" not in v.why


def test_of_claim_2_no_measure_without_scale_is_asked_to_fall():
    """Latents that stay as far from binary as they were do not turn binary."""
    stay = {("standardised_log_likelihood", LINEAR): (1.0, 1.0, 1.0)}
    v = judge(2, table(paper_world() | stay))
    assert v.verdict == "reproduced"
    assert v.why.endswith(f"stays as it is on average, {UNSURE}")


@pytest.mark.parametrize(
    ("mine", "said"),
    [
        ((0.5, 0.95, 0.99), "at 2 of 3 evaluations"),
        ((0.6, 0.95, 0.99), "at 3 of 3 evaluations"),
        (
            (0.6, 0.95, 0.98),
            "at 3 of 3 evaluations, its smallest lead +5.00 and then +2.00 percentage points at the last two",
        ),
        ((0.6, 0.95, 0.9), "at 2 of 3 evaluations, last after epoch 5"),
        ((0.5, 0.8, 0.9), "at 0 of 3 evaluations"),
    ],
)
def test_when_accuracies_are_ahead_is_said(mine, said):
    """Of (0.5, 0.9, 0.96) each, so that they are level first."""
    world = paper_world() | {("accuracy", BINARY): mine}
    assert judge(5, table(world, noise=0.0)).why.endswith(
        f"on average binary encoding is ahead of all 3 {said}"
    )


def test_ahead_is_of_the_seeds_that_all_have():
    mine, other = (pd.DataFrame({0: [0.5, 0.9], 1: [0.5, last]}) for last in (1.0, 0.8))
    perfect = pd.DataFrame({1: [0.5, 0.7], 2: [0.5, 1.0]})
    assert ahead(mine, other, perfect) == "on average binary encoding is ahead of all 2 at 1 of 2 evaluations"
    assert ahead(mine, other, perfect[[2]]) == ""


def test_what_the_last_evaluations_say_on_average_is_told_where_it_differs():
    t = table(paper_world())
    late = [t[t.epoch == 10].assign(epoch=epoch) for epoch in range(10, 20)]
    calm = pd.concat(late)
    dip = (calm.metric == "accuracy") & (calm.architecture == BINARY) & (calm.epoch == 19) & (calm.seed == 0)
    jump = calm.assign(value=calm.value - 0.03 * dip)
    said = "; judged by the average of the last 5 evaluations it would be reproduced"
    assert judge(5, jump).verdict == "undecided"
    assert judge(5, jump).why.endswith(said)
    assert said not in judge(5, calm).why
    assert said not in judge(5, jump[jump.epoch > 10]).why


def test_ahead_is_ahead_of_each_of_the_others():
    level = {("accuracy", LINEAR): (0.5, 0.95, 0.96)}
    why = judge(5, table(paper_world() | {("accuracy", BINARY): (0.6, 0.93, 0.98)} | level, noise=0.0)).why
    assert why.endswith("on average binary encoding is ahead of all 3 at 2 of 3 evaluations")


@pytest.mark.parametrize(
    ("mine", "other", "said"),
    [
        (
            0.9995,
            0.9998,
            "little room is left: 0.050 % of the points are missed, 0.020 % by the best of the others",
        ),
        (0.9995, 0.99, ""),
        (0.99, 0.9995, ""),
    ],
)
def test_a_ceiling_is_where_hardly_a_point_is_wrong_in_either(mine, other, said):
    world = {("accuracy", BINARY): (0.5, 0.9, mine), ("accuracy", NONE): (0.5, 0.9, other)}
    why = judge(6, table(paper_world() | world, noise=0.0)).why
    assert ("room" in why) is bool(said)
    assert said in why


def test_that_nothing_is_above_a_network_which_errs_on_no_point_is_said():
    t = table(paper_world() | {("accuracy", NONE): (0.5, 0.9, 0.99)}, noise=0.0)
    last = (t.metric == "accuracy") & (t.epoch == t.epoch.max()) & (t.architecture == NONE)
    t.loc[last & (t.seed > 0), "value"] = 1.0
    said = "; in 2 of 3 seeds one of the others has accuracy 1, which cannot be exceeded"
    assert judge(6, t).why.endswith(said)


def test_a_first_value_over_fewer_classes_is_said():
    t = table(paper_world())
    first = (t.metric == "tr_sw_sb") & (t.epoch == 0) & (t.architecture == NONE)
    t.loc[first & (t.seed == 1), "value"] = float("nan")
    said = "On mean entry, no penultimate: it begins, in 1 of 3 seeds, where a class has no point or all"
    assert f"{said} class means coincide" in judge(9, t).why


def test_a_mean_entry_or_a_whole_code_is_set_against_the_milder_measure():
    cancels = {("within_class_covariance", NONE): (1.0, 1.0, 1.0)}
    why = judge(9, table(paper_world() | cancels)).why
    assert why.endswith(
        "On all 4: judged by the trace it would be reproduced; measured against the spread of class means, "
        "by Tr(Sw Sb⁺)/C, it falls in all four"
    )
    assert "trace" not in judge(9, table(paper_world())).why
    bits = {("bit_agreement", NONE): (0.9, 0.995)}
    assert judge(4, table(paper_world() | bits)).why.endswith(
        "by agreement per bit it would be not reproduced"
    )


def test_times_that_do_not_tell_leave_the_areas():
    late = {("equinorm", BINARY): (0.4, 0.3, 0.2), ("equinorm", NONE): (0.4, 0.7, 0.5)}
    v = judge(8, table(paper_world() | late))
    assert v.verdict != "reproduced"
    assert "by the areas alone it would be reproduced" in v.why


def test_the_gain_is_that_after_the_last_epoch_and_decides_nothing():
    v = judge(1, table(paper_world() | {("gain", BINARY): (0.1, 0.9, 0.4)}, noise=0.0))
    gain = {e.name: e for e in v.effects}["gain of two peaks over one, last"]
    assert gain.values.tolist() == [0.4] * 3
    assert not gain.decides


def test_an_interval_without_width_is_named():
    """Times are multiples of the epochs between evaluations, and often the same in all seeds."""
    why = judge(8, table(paper_world())).why
    assert "without width, for all seeds have the same value: equinorm, time; equiangularity, time" in why
    assert "area" not in why
    worse = {("accuracy", BINARY): (0.5, 0.9, 0.95), ("accuracy", NONE): (0.5, 0.9, 0.96)}
    refuted = judge(6, table(paper_world() | worse, noise=0.0))
    assert refuted.tied
    assert not judge(6, table(paper_world() | worse)).tied
    assert judge(8, table(paper_world())).tied
    assert not judge(5, table(paper_world(), seeds=1, noise=0.0)).tied
    assert not judge(3, table(paper_world(), noise=0.0)).tied
    assert refuted.why.startswith("beyond the bound: all 3; without width, for all seeds have the same value")


def test_that_the_gain_of_two_peaks_had_been_larger_is_said():
    fell = judge(1, table(paper_world() | {("gain", BINARY): (1.0, 3.0, 2.0)}))
    assert "the gain of two peaks over one had been 3.00 nats after epoch 5, 2.00 in the end" in fell.why
    assert fell.verdict == "reproduced"
    hardly = judge(1, table(paper_world() | {("gain", BINARY): (1.0, 3.0, 2.8)}))
    assert "had been" not in hardly.why + judge(1, table(paper_world())).why


def test_that_binary_encoding_is_as_comparable_is_said():
    assert "as close" not in judge(7, table(paper_world())).why  # ahead by 2 percentage points
    near = judge(7, table(paper_world() | {("accuracy", BINARY): (0.5, 0.9, 0.963)}))
    assert "as close to the best of them (+0.300 and +0.300 percentage points)" in near.why


def test_the_variance_within_classes_is_told_relative_to_that_between_them():
    grows = {("tr_sw_sb", NONE): (0.5, 0.7, 1.0)}
    why = judge(9, table(paper_world() | grows)).why
    assert "by Tr(Sw Sb⁺)/C, it falls in 3 of 4 architectures" in why
    t = table(paper_world() | grows)
    first = (t.metric == "tr_sw_sb") & (t.epoch == 0) & (t.architecture == NONE)
    t.loc[first & (t.seed == 1), "value"] = float("nan")
    assert (
        "it falls in 3 of 3 architectures, and is not defined at both ends in the others" in judge(9, t).why
    )


def test_what_no_architecture_has_is_not_told():
    t = table(paper_world())
    t.loc[(t.metric == "tr_sw_sb") & (t.epoch == 0), "value"] = float("nan")
    why = judge(9, t).why
    assert "measured against the spread" not in why
    assert "it begins, in 3 of 3 seeds, where a class has no point" in why


def test_one_seed_is_not_counted_among_seeds():
    t = table(paper_world() | {("accuracy", NONE): (0.5, 0.9, 1.0)}, seeds=1, noise=0.0)
    said = "; in its only seed one of the others has accuracy 1, which cannot be exceeded"
    assert judge(6, t).why.endswith(said)


@pytest.mark.parametrize(
    ("best", "mine", "verdict", "capped"),
    [
        (1.0, 0.95, "not reproduced", True),
        (0.999, 0.95, "not reproduced", False),
        (1.0, 1.0, "undecided", False),
    ],
)
def test_what_could_not_have_been_reproduced_is_told_apart(best, mine, verdict, capped):
    """No accuracy is above 1."""
    world = paper_world() | {("accuracy", NONE): (0.5, 0.9, best), ("accuracy", BINARY): (0.5, 0.9, mine)}
    t = table(world, noise=0.0)
    v = judge(6, t)
    assert (v.verdict, v.capped) == (verdict, capped)
    assert words(v).endswith(", at the ceiling") is capped


def test_where_one_seed_leaves_room_the_interval_decides_whether_it_would_have_been_enough():
    worse = {("accuracy", NONE): (0.5, 0.9, 1.0), ("accuracy", BINARY): (0.5, 0.9, 0.95)}
    t = table(paper_world() | worse, noise=0.0)
    last = (t.metric == "accuracy") & (t.epoch == t.epoch.max()) & (t.architecture == NONE)
    for seeds, capped in (([0], True), ([0, 1, 2], False)):  # +0.2, 0, 0 would be open, +0.2 thrice not
        t.loc[last & t.seed.isin(seeds), "value"] = 0.998
        assert judge(6, t).capped is capped
