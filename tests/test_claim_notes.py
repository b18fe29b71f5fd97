"""What a verdict says beside its word: of scale, bits, a share still rising, intervals without width."""

import pytest
from worlds import BINARY, NONE, judge, paper_world, table


@pytest.mark.parametrize(
    ("share", "rising"),
    [
        ((0.1, 0.9, 0.95), "still rising, by 5.00 percentage points in the last 5 epochs"),
        ((0.1, 0.96, 0.95), ""),
        ((0.1, 0.95, 0.999), ""),
        ((0.95,), ""),
    ],
)
def test_a_share_that_still_rises_is_said_to_and_judged_all_the_same(share, rising):
    v = judge(3, table(paper_world() | {("code_share", BINARY): share}))
    assert v.verdict == ("reproduced" if share[-1] > 0.99 else "not reproduced")
    assert ("still rising" in v.why) is bool(rising)
    assert rising in v.why


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (0.999, "by agreement per bit, which the released code plots, it would be reproduced"),
        (0.99, "by agreement per bit, which the released code plots, it would be undecided"),
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
        ((3.0, 2.0, 1.0), "falls by 2.00 on average, so their scale makes the difference"),
        ((1.0, 2.0, 3.0), "rises by 2.00 on average"),
        ((1.0, 1.0, 1.0), "stays as it is on average, so their scale makes the difference"),
    ],
)
def test_a_score_says_what_remains_without_the_scale(standardised, said):
    v = judge(1, table(paper_world() | {("standardised_log_likelihood", BINARY): standardised}))
    assert v.why.endswith(f"On log-likelihood: of standardised latents it {said}")


def test_where_the_score_itself_is_not_sure_to_move_the_scale_makes_no_difference():
    still = {(metric, BINARY): (1.0, 1.0) for metric in ("log_likelihood", "standardised_log_likelihood")}
    v = judge(1, table(paper_world() | still))
    assert v.why.endswith("stays as it is on average")


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
    assert refuted.why.startswith("beyond the bound: all 3; without width, for all seeds have the same value")
