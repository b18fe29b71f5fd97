"""What each claim looks at, by hand."""

import math

import pytest
from worlds import BINARY, LINEAR, NONE, NONLINEAR, judge, paper_world, table, verdict_of

from binenc.claims import paper
from binenc.claims.effect import Effect
from binenc.profile import ARCHITECTURES


def times_and_areas(changes: dict | None = None) -> dict[str, Effect]:
    return {e.name: e for e in judge(8, table(paper_world() | (changes or {}), noise=0.0)).effects}


def test_time_and_area_by_hand():
    effects = times_and_areas({("equinorm", NONE): (1.0, 0.5, 0.5), ("equinorm", LINEAR): (0.6, 0.6, 0.5)})
    # The best final value of the others, 0.5, is reached at epoch 5 by one of them and by binary encoding.
    assert effects["equinorm, time"].values.tolist() == [0.0] * 3
    assert effects["max angle, time"].values.tolist() == [-5.0] * 3
    mine = (math.log(1) / 2 + math.log(0.1) + math.log(0.01) / 2) / 2
    best = (math.log(0.6) / 2 + math.log(0.6) + math.log(0.5) / 2) / 2
    assert effects["equinorm, area"].interval.mean == pytest.approx(mine - best)


def test_the_target_is_the_best_final_value_of_the_others():
    low = {("equinorm", NONE): (1.0, 0.7, 0.05), ("equinorm", BINARY): (1.0, 0.1, 0.1)}
    assert times_and_areas(low)["equinorm, time"].values.tolist() == [5.0] * 3


def test_a_run_that_never_gets_there_counts_one_evaluation_late_and_is_said():
    slow = {("max_angle", BINARY): (1.0, 0.9, 0.8), ("max_angle", NONE): (1.0, 0.7, 0.5)}
    effect = times_and_areas(slow)["max angle, time"]
    assert effect.values.tolist() == [5.0] * 3  # epoch 15 in place of 10
    assert "3 of 3 seeds" in effect.note
    assert "3 of 3 seeds" in judge(8, table(paper_world() | slow)).why


def test_where_the_others_end_no_nearer_than_one_began_nothing_can_be_faster_and_it_is_said():
    drift = {("equinorm", BINARY): (0.1, 0.05, 0.01)}
    drift |= {("equinorm", a): (0.15, 0.17, 0.18) for a in ARCHITECTURES if a != BINARY}
    v = judge(8, table(paper_world() | drift))
    assert times_and_areas(drift)["equinorm, time"].values.tolist() == [0.0] * 3
    assert v.verdict == "undecided"
    at_once = "in 3 of 3 seeds binary encoding is there at the first evaluation"
    assert (
        f"equinorm, time: {at_once}; in 3 of 3 seeds one of the others is there at the first evaluation: "
        "none can be sooner" in v.why
    )


def test_nearest_counts_the_evaluations_at_which_all_four_measures_are_lower():
    behind = {("equinorm", BINARY): (0.9, 0.8, 0.01), ("max_angle", BINARY): (0.1, 0.1, math.nan)}
    assert times_and_areas()["ahead by all four"].values.tolist() == pytest.approx([2 / 3] * 3)  # a tie first
    assert times_and_areas(behind)["ahead by all four"].values.tolist() == [0.0] * 3
    ahead = {(metric, BINARY): (0.9, 0.1, 0.01) for metric in paper.ETF}
    assert times_and_areas(ahead)["ahead by all four"].values.tolist() == [1.0] * 3


def test_worst_is_of_the_measure_where_binary_encoding_is_least_far_from_the_others_best():
    other = {(metric, a): (1.0, 0.7, 0.5) for metric in paper.ETF for a in ARCHITECTURES if a != BINARY}
    far = {(metric, BINARY): (0.05, 0.02, 0.01) for metric in paper.ETF}
    near = other | far | {("max_angle", BINARY): (0.1, 0.4, 0.01)}
    for curves, expected in ((other | far, 0.05 / 0.5), (near, 0.4 / 0.5)):
        worst = times_and_areas(curves)["worst, of all four"]
        assert not worst.decides
        assert worst.shown.mean == pytest.approx(expected, rel=1e-4)


def test_a_value_of_zero_is_on_the_logarithmic_scale_too():
    effects = times_and_areas({("tr_sw_sb", BINARY): (1.0, 0.0, 0.0)})
    assert math.isfinite(effects["Tr(Sw Sb⁺)/C, area"].interval.mean)


@pytest.mark.parametrize(("number", "architecture"), [(1, BINARY), (2, LINEAR)])
def test_what_is_told_of_the_peaks_by_hand(number, architecture):
    curves = {
        "log_likelihood": (1.0, 5.0, 1.5),
        "std": (4.0, 9.0, 1.0),
        "standardised_log_likelihood": (0.5, 7.0, 0.75),
        "gain": (0.1, 0.9, 0.4),
    }
    world = paper_world() | {(metric, architecture): curve for metric, curve in curves.items()}
    v = judge(number, table(world, noise=0.0))
    assert [e.shown.mean for e in v.effects] == pytest.approx([0.5, 1 / 4, 0.25, 0.4])


def test_the_whole_code_share_of_the_test_points_is_shown_beside():
    v = judge(3, table(paper_world() | {("code_share", BINARY, "test"): (0.1, 0.5, 0.7)}, noise=0.0))
    assert [e.interval.mean for e in v.effects] == pytest.approx([0.999, 0.7, 0.999])


def test_shares_lead_by_percentage_points():
    v = judge(4, table(paper_world(), noise=0.0))
    assert [e.interval.mean for e in v.effects if "−" in e.name] == pytest.approx([89.9] * 3)


def test_the_lead_over_the_best_other_is_of_the_points_that_it_names():
    world = paper_world() | {("accuracy", BINARY, "test"): (0.5, 0.9, 0.99)}
    effects = {e.name: e.interval.mean for e in judge(7, table(world, noise=0.0)).effects}
    leads = {f"binary encoding − best other, {split}": lead for split, lead in (("train", 2), ("test", 3))}
    assert {name: mean for name, mean in effects.items() if "best" in name} == pytest.approx(leads)


def test_the_best_other_is_best_on_average():
    t = table(paper_world(), noise=0.0)
    mine = (t.metric == "accuracy") & (t.architecture == NONE) & (t.epoch == t.epoch.max())
    t.loc[mine, "value"] = t.loc[mine, "seed"].map({0: 0.959, 1: 0.959, 2: 0.97})
    effects = {e.name: e for e in judge(7, t).effects}
    found = effects["binary encoding − best other, test"].values.tolist()
    assert found == pytest.approx([2.1, 2.1, 1.0])


def test_the_others_are_compared_without_binary_encoding():
    t = table(paper_world())
    with_it, without = (judge(7, rows) for rows in (t, t[t.architecture != BINARY]))
    assert without.verdict == with_it.verdict == "reproduced"
    assert [str(e) for e in without.effects] == [str(e) for e in with_it.deciding]
    assert "as close" not in without.why


def test_no_time_is_farther_than_the_training_and_one_evaluation():
    assert times_and_areas()["equinorm, time"].farthest == 15


def test_each_two_of_the_others_must_be_comparable():
    apart = {("accuracy", NONLINEAR): (0.5, 0.9, 0.963), ("accuracy", NONE): (0.5, 0.9, 0.957)}
    assert verdict_of(7, apart) == "not reproduced"


@pytest.mark.parametrize(
    ("mine", "note"),
    [
        ((0.4, 0.1, 0.01), "in 3 of 3 seeds binary encoding is there at the first evaluation"),
        ((1.0, 0.1, 0.01), ""),
        ((1.0, 0.9, 0.5), ""),
    ],
)
def test_what_is_reached_at_the_first_evaluation_is_said_and_what_is_at_the_last_needs_no_note(mine, note):
    effect = times_and_areas({("equinorm", BINARY): mine})["equinorm, time"]
    assert effect.note == note
    assert effect.unit == "epochs, evaluated every 5"


def test_times_and_areas_are_of_the_seeds_that_all_have():
    t = table(paper_world())
    assert judge(8, t[~((t.architecture == NONE) & (t.seed == 2))]).n_seeds == 2


def test_the_logarithm_of_nothing_is_not_defined():
    v = judge(9, table(paper_world() | {("within_class_covariance", BINARY): (3.0, 1.0, 0.0)}))
    assert v.verdict == "undecided"
    assert v.why.startswith("not defined in some seed: mean entry, binary encoding")


def test_what_is_exact_has_no_tie():
    same, other = (judge(10, table(paper_world() | w)) for w in ({}, {("n_parameters", NONLINEAR): (101.0,)}))
    assert not same.tied
    assert not other.tied
    assert other.why == "beyond the bound: binary encoding − non-linear penultimate"


@pytest.mark.parametrize("architecture", [BINARY, NONE])
def test_an_early_value_that_is_not_defined_is_left_out_of_all_areas(architecture):
    curve = (math.nan, *paper_world()["max_angle", architecture][1:])
    effects = times_and_areas({("max_angle", architecture): curve})
    mine, best = (math.log(0.1) + math.log(0.01)) / 2, (math.log(0.7) + math.log(0.5)) / 2
    assert effects["max angle, area"].interval.mean == pytest.approx(mine - best)
    assert (
        effects["max angle, area"].note
        == "3 of 9 evaluations left out: a class has no point or all class means coincide"
    )
    assert effects["max angle, time"].values.tolist() == [-5.0] * 3
    last = times_and_areas({("max_angle", architecture): (1.0, 0.7, math.nan)})
    values = last["max angle, time"].values
    assert values.eq(5.0).all() if architecture == BINARY else values.isna().all()
