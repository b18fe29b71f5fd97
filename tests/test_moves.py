"""What single differences of the protocols move, on tables whose numbers are known."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
from scipy import stats
from test_claims import BINARY, NONE, paper_world, table
from test_switches import RELEASED, TWICE, WORSE, WRITTEN, study_table

from binenc.claims import moves, switches
from binenc.text.words import number


@pytest.fixture
def numbers() -> pd.DataFrame:
    return switches.headlines(study_table())


def test_the_lead_is_told_under_each_difference_of_the_training_by_itself():
    """Not under another reading, nor under what changes a measure alone."""
    t = study_table()
    measured = t[t.protocol == TWICE].assign(protocol="as_written,class_of_point=prediction")
    constant = t[(t.protocol == TWICE) & (t.architecture != NONE)].assign(
        protocol="as_written,learning_rate=constant"
    )
    found = SimpleNamespace(table=pd.concat([t, measured, constant]), title=lambda *key: "/".join(key))
    assert moves.one_at_a_time(found) == (
        "- **One difference at a time** (quick/digits_mlp). Lead of binary encoding over the best of the "
        "others in each seed in test accuracy, in percentage points: +1.99 to +2.00 as written (prediction "
        "interval of one more seed, 95 %: +1.97 to +2.03); −1.00 with `softmax_twice=true` in seed 0; −1.01 "
        "to −0.997 as released."
    )
    for without in (TWICE, RELEASED):
        found.table = t[t.protocol != without]
        assert moves.one_at_a_time(found) == ""


@pytest.mark.parametrize(
    ("after", "said"),
    [
        ([0.9, 0.8], " (all lose accuracy, binary encoding least)"),
        ([0.5, 0.8], " (all lose accuracy, binary encoding most)"),
        ([0.7, 0.65], " (all lose accuracy)"),
        ([0.95, 0.85], ""),  # one loses nothing
        ([math.nan, 0.5], ""),
    ],
)
def test_who_loses_accuracy_is_told_of_the_seeds_of_both(after, said):
    """Seed 1 alone, in which all of both have an accuracy; in seed 0 all gain."""
    before = pd.DataFrame({BINARY: [0.1, 0.95], NONE: [math.nan, 0.9]})
    assert moves.lost(before, pd.DataFrame({BINARY: [1, after[0]], NONE: [1, after[1]]})) == said


def test_who_loses_accuracy_stands_beside_the_switch_that_takes_it():
    t = study_table()
    t.loc[(t.protocol == TWICE) & (t.metric == "accuracy"), "value"] -= 0.1
    found = SimpleNamespace(table=t, title=lambda *key: "/".join(key))
    told = "with `softmax_twice=true` (all lose accuracy, binary encoding most) in seed 0; "
    assert told in moves.one_at_a_time(found)


def test_an_architecture_that_one_experiment_has_besides_changes_no_item():
    t = study_table()
    other = t.assign(experiment="other")
    more = other[other.architecture == NONE].assign(architecture="mine")
    found = SimpleNamespace(table=pd.concat([t, other]), title=lambda *key: "/".join(key))
    before = moves.one_at_a_time(found)
    assert before.count("\n") == 1
    found.table = pd.concat([t, other, more])
    assert moves.one_at_a_time(found) == before


def test_sentences_follow_the_numbers(numbers):
    said = moves.sentences(numbers)
    first, second = said.splitlines()
    assert "`softmax_twice` alone, from `false` to `true`" in first
    assert "beyond the reach of a seed" in first
    assert "the lead in test accuracy from +2.00 to −1.00 percentage points" in first
    assert "`loss_bin`" in second


def test_what_a_switch_leaves_as_it_is_is_said_so(numbers):
    same = numbers.copy()
    gap = same.number == "test_gap"
    same.loc[gap & (same.protocol == TWICE), "value"] = same[
        gap & (same.protocol == WRITTEN) & (same.seed == 0)
    ].value.item()
    first = moves.sentences(same).splitlines()[0]
    assert "leaves unchanged in seed 0: the lead in test accuracy" in first
    assert "lead in test accuracy from" not in first
    same.loc[gap & (same.protocol == TWICE), "value"] += 1e-6
    first = moves.sentences(same).splitlines()[0]
    assert "leaves unchanged in seed 0, at these digits: the lead in test accuracy" in first


def several(seeds: int, noise: float = 1e-3) -> pd.DataFrame:
    """The same study with more seeds of the double softmax, whose numbers differ."""
    t = study_table()
    more = table(paper_world() | WORSE, seeds=seeds, noise=noise, protocol=TWICE)
    return pd.concat([t[t.protocol != TWICE], more], ignore_index=True)


def test_of_several_seeds_the_change_is_told_with_its_interval():
    """Paired by seed, of the seeds of both; Student's t by scipy."""
    t = several(4)
    numbers = switches.headlines(t)
    said = moves.sentences(numbers).splitlines()[1]
    by_seed = numbers.set_index(["number", "protocol", "seed"]).value.sort_index()
    lead = (by_seed["test_gap", TWICE] - by_seed["test_gap", WRITTEN]).dropna()
    ratio = (by_seed["tr_sw_sb", TWICE] / by_seed["tr_sw_sb", WRITTEN]).dropna().map(math.log)
    assert list(lead.index) == [0, 1, 2]
    low, high = stats.ttest_1samp(lead, 0).confidence_interval()
    minus = f"−{-lead.mean():.2f} [−{-low:.2f}, −{-high:.2f}]"
    assert "`true`, moves in 3 paired seeds, beyond chance: the lead in test accuracy by " in said
    assert f"by {minus} percentage points" in said
    low, high = stats.ttest_1samp(ratio, 0).confidence_interval()
    assert low < 0 < high
    mean, low, high = (number(math.exp(x)) for x in (ratio.mean(), low, high))
    assert "It may or may not move in 3 paired seeds: the whole-code share by " in said
    assert said.endswith(f"Tr(Sw Sb⁺)/C by ×\N{NO-BREAK SPACE}{mean} [{low}, {high}].")
    found = SimpleNamespace(table=t, title=lambda *key: "/".join(key))
    item = moves.one_at_a_time(found)
    assert f"binary encoding most), which moves it by {minus} (n = 3); " in item
    assert "prediction" not in item


def test_what_no_seed_moves_is_left_unchanged_and_other_seeds_are_not_compared():
    numbers = switches.headlines(study_table())
    written = numbers[numbers.protocol == WRITTEN]
    same = pd.concat([written, written.assign(protocol=TWICE)])
    said = moves.sentences(same)
    assert said.endswith(
        "`true`, leaves unchanged in 3 paired seeds: "
        + "; ".join(h.short for h in switches.HEADLINES.values())
        + "."
    )
    apart = pd.concat([written, written.assign(protocol=TWICE, seed=written.seed + 3)])
    assert "has no record to compare yet" in moves.sentences(apart)
    leads = written[written.number == "test_gap"].set_index("seed").value
    assert moves._lead(leads, leads.rename(lambda seed: seed + 3), "it") == "+1.99 to +2.00 with it"


def test_each_number_is_told_of_the_seeds_that_it_has():
    """Leads of seed 1 alone, for want of the others; the rest of two seeds."""
    t = several(3)
    t = t[~((t.protocol == TWICE) & (t.seed == 0))]
    few = t[~((t.protocol == TWICE) & (t.seed == 2) & (t.architecture == NONE))]
    said = moves.sentences(switches.headlines(few)).splitlines()[1]
    first, second = said.split(". It ")
    assert "moves in seed 1, beyond the reach of a seed: the lead in test accuracy from " in first
    assert second.startswith("may or may not move in 2 paired seeds: the whole-code share by ")


def test_what_moves_all_seeds_by_the_same_is_not_called_sure():
    numbers = switches.headlines(table(paper_world(), noise=1e-5))
    less = numbers.assign(protocol=TWICE, value=numbers.value - 0.25 * (numbers.number == "test_gap"))
    said = moves.sentences(pd.concat([numbers, less]))
    moved = "the lead in test accuracy by −0.250 [−0.250, −0.250] percentage points"
    assert f"moves in 3 paired seeds, in all by the same: {moved}" in said


def test_a_change_may_be_larger_than_a_lead_can_be():
    before, after = pd.Series([90.0, 50.0]), pd.Series([-70.0, -80.0])
    moved = moves.change(before, after, switches.HEADLINES["test_gap"])
    assert moved.interval.mean == -145.0
    assert moved.interval.low == -200.0
    share = moves.change(before / 100, before / 200, switches.HEADLINES["code_share"])
    assert share.interval.mean == pytest.approx(-35.0)
    assert share.interval.low == -100.0


@pytest.mark.parametrize("has", [[BINARY], [NONE], [BINARY, NONE]], ids="+".join)
def test_where_architectures_lack_no_lead_is_told(has):
    t = study_table()
    found = SimpleNamespace(table=t[t.architecture.isin(has)], title=lambda *key: "/".join(key))
    assert moves.one_at_a_time(found) == ""


def test_without_a_switch_the_sentence_says_so(numbers):
    both = numbers[numbers.protocol.isin([WRITTEN, RELEASED])]
    assert moves.sentences(both) == ""
    assert moves.missing(both) == "No run with a single difference is recorded here."
    assert "own here: `dropout`; `learning_rate`, which acts from" in moves.missing(numbers)
    alone = numbers[numbers.protocol == TWICE]
    assert "has no record to compare yet" in moves.sentences(alone)


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [0.0, 0.1]])
def test_the_reach_of_a_seed_is_the_prediction_interval(values):
    seeds = pd.Series(values)
    n, scale = len(values), seeds.std() * math.sqrt(1 + 1 / len(values))
    low, high = stats.t.interval(0.95, n - 1, seeds.mean(), scale)
    for inside in (low + 1e-6, high - 1e-6):
        assert "within" in moves.against(inside, seeds)
    for outside in (low - 1e-6, high + 1e-6):
        assert "beyond" in moves.against(outside, seeds)
    assert "no second seed" in moves.against(0.0, seeds[:1])


def test_more_than_one_change_is_no_switch(numbers):
    both = numbers[numbers.protocol == TWICE].assign(protocol=f"{TWICE},dropout=first_epoch")
    assert moves.sentences(pd.concat([numbers, both])) == moves.sentences(numbers)
