"""What single differences of the protocols do, on tables whose numbers are known."""

import math

import pandas as pd
import pytest
import torch
from scipy import stats
from test_claims import BINARY, NONE, paper_world, table

from binenc.claims import judging, switches
from binenc.figures import effects
from binenc.metrics import measure
from binenc.protocol import AS_RELEASED, AS_WRITTEN

WRITTEN, RELEASED = "as_written", "as_released"
TWICE, MEAN = "as_written,softmax_twice=true", "as_written,loss_bin=mean_of_exp"
WORSE = {("accuracy", BINARY): (0.5, 0.9, 0.95)}


def study_table() -> pd.DataFrame:
    """As written binary encoding leads by 2 points, as released and under one switch it is 1 point behind."""
    world = paper_world()
    single = table(world | WORSE, seeds=1, noise=0.0, protocol=TWICE)
    reading = table(world | WORSE, seeds=1, noise=0.0, protocol=MEAN)
    reading = reading[reading.architecture == BINARY]
    written, released = table(world, noise=1e-5), table(world | WORSE, noise=1e-5, protocol=RELEASED)
    t = pd.concat([written, single, reading, released], ignore_index=True)
    return t


@pytest.fixture
def numbers() -> pd.DataFrame:
    return switches.headlines(study_table())


def value(numbers: pd.DataFrame, protocol: str, name: str, seed: int = 0) -> float:
    found = numbers[(numbers.protocol == protocol) & (numbers.number == name) & (numbers.seed == seed)]
    return found.value.item()


@pytest.mark.parametrize(
    ("protocol", "lead"), [(WRITTEN, 2.0), (TWICE, -1.0), (MEAN, -1.0), (RELEASED, -1.0)]
)
@pytest.mark.parametrize("name", ["test_gap", "train_gap"])
def test_the_lead_is_over_the_best_of_the_others(numbers, protocol, lead, name):
    assert value(numbers, protocol, name) == pytest.approx(lead, abs=0.02)


def test_each_number_is_of_its_own_points():
    world = paper_world() | {
        ("accuracy", BINARY, "test"): (0.5, 0.9, 0.975),
        ("code_share", BINARY, "test"): (0.1, 0.5, 0.7),
        ("tr_sw_sb", BINARY, "test"): (1.0, 0.5, 0.2),
    }
    numbers = switches.headlines(table(world, noise=0.0))
    found = {name: value(numbers, WRITTEN, name) for name in switches.HEADLINES}
    known = {"test_gap": 1.5, "train_gap": 2.0, "code_share": 0.999, "tr_sw_sb": 0.01}
    assert found == pytest.approx(known)


def test_the_first_seed_is_the_least_of_the_switched_protocols(numbers):
    assert switches.first_seed(numbers[numbers.protocol == WRITTEN]) == 0
    later = numbers.assign(seed=numbers.seed + 2 * (numbers.protocol == TWICE))
    assert switches.first_seed(later[later.protocol != MEAN]) == 2


def test_a_better_other_shortens_the_lead():
    better = paper_world() | {("accuracy", NONE): (0.5, 0.9, 0.97)}
    assert value(switches.headlines(table(better)), WRITTEN, "test_gap") == pytest.approx(1.0, abs=0.01)


def test_a_lead_over_others_that_are_not_all_there_is_not_told():
    t = study_table()
    t = t[~((t.architecture == NONE) & (t.protocol == TWICE))]
    numbers = switches.headlines(t)
    assert math.isnan(value(numbers, TWICE, "test_gap"))
    assert value(numbers, TWICE, "code_share") == pytest.approx(0.999)


def test_architectures_that_a_switch_cannot_change_are_taken_from_its_base():
    t = study_table()
    full = switches.completed(t)
    assert len(full[full.protocol == MEAN]) == len(full[full.protocol == TWICE])
    assert len(full[full.protocol == TWICE]) == len(t[t.protocol == TWICE])
    measured = t.assign(protocol=t.protocol.replace(MEAN, "as_written,class_of_point=prediction"))
    added = switches.completed(measured).iloc[len(t) :]
    assert set(added.metric) == set(t.metric) - switches.CHANGES["class_of_point"] >= {"accuracy", "std"}
    assert set(added.seed) == {0}


@pytest.mark.parametrize("field", [field for field in switches.CHANGES if field != "loss_bin"])
def test_what_a_switch_of_the_measures_changes(field):
    g = torch.Generator().manual_seed(0)
    labels, weight = torch.arange(400) % 5, torch.randn(5, 12, generator=g)
    latents = weight[labels] + 2 * torch.randn(400, 12, generator=g)
    written, other = (
        measure(latents @ weight.T, latents, labels, weight, protocol)
        for protocol in (AS_WRITTEN, AS_WRITTEN.model_copy(update={field: getattr(AS_RELEASED, field)}))
    )
    moved = {name for name in written if written[name] != other[name]}
    assert moved <= switches.CHANGES[field]
    if field == "between_class":  # five classes of one size
        assert other["tr_sw_sb"] / written["tr_sw_sb"] == pytest.approx(4 / 5)
        assert "multiplies every Tr(Sw Sb⁺)/C by (C − 1)/C where" in switches.NO_RUN[field]
    assert len(moved) >= 0.8 * len(switches.CHANGES[field])  # the least distance of codes may be the same


def test_a_reading_of_the_binary_loss_is_not_taken_for_another():
    t = study_table()
    t = pd.concat([t, t[t.metric == "accuracy"].assign(metric="loss_bin")], ignore_index=True)
    full = switches.completed(t)
    added = full[(full.protocol == MEAN) & (full.architecture != BINARY)]
    assert "accuracy" in set(added.metric)
    assert "loss_bin" not in set(added.metric)


def test_only_what_is_known_of_a_protocol_with_one_change():
    assert switches.switched(TWICE) == ("as_written", "softmax_twice", "true")
    assert switches.switched(WRITTEN) is None
    assert switches.switched(f"{TWICE},dropout=first_epoch") is None


def test_rows_go_from_as_written_to_as_released(numbers):
    shown = switches.table_of(numbers, 0)
    assert list(shown["Protocol"]) == [
        "As written",
        "`softmax_twice`: false → true",
        "`loss_bin`: exp_of_mean → mean_of_exp, another reading",
        "As released",
    ]
    lead = shown["Lead, test"]
    assert lead[0].startswith("+2.0")
    assert "to" in lead[0]  # the range over three seeds
    assert lead[1] == "−1.00"


def test_sentences_follow_the_numbers(numbers):
    said = switches.sentences(numbers, 0)
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
    first = switches.sentences(same, 0).splitlines()[0]
    assert "leaves unchanged: the lead in test accuracy" in first
    assert "lead in test accuracy from" not in first
    same.loc[gap & (same.protocol == TWICE), "value"] += 1e-6
    first = switches.sentences(same, 0).splitlines()[0]
    assert "leaves unchanged, at these digits: the lead in test accuracy" in first


def test_without_a_switch_the_sentence_says_so(numbers):
    both = numbers[numbers.protocol.isin([WRITTEN, RELEASED])]
    assert switches.sentences(both, 0) == "No run with a single difference is recorded here."
    assert "`softmax_twice`" in switches.missing(both)
    assert "`softmax_twice`" not in switches.missing(numbers)
    alone = numbers[numbers.protocol == TWICE]
    assert "has no record to compare yet" in switches.sentences(alone, 0)


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [0.0, 0.1]])
def test_the_reach_of_a_seed_is_the_prediction_interval(values):
    seeds = pd.Series(values)
    n, scale = len(values), seeds.std() * math.sqrt(1 + 1 / len(values))
    low, high = stats.t.interval(0.95, n - 1, seeds.mean(), scale)
    for inside in (low + 1e-6, high - 1e-6):
        assert "within" in switches.against(inside, seeds)
    for outside in (low - 1e-6, high + 1e-6):
        assert "beyond" in switches.against(outside, seeds)
    assert "no second seed" in switches.against(0.0, seeds[:1])


def agreement(t: pd.DataFrame, monkeypatch) -> pd.DataFrame:
    monkeypatch.setattr(switches, "sized", lambda found: found.table)
    found = type("Found", (), {"table": t})()
    return switches.agreement(found, "quick", "digits_mlp", 0)


def test_the_switch_that_turns_a_claim_is_named(monkeypatch):
    t = study_table()
    agrees = agreement(t, monkeypatch)
    fifth = agrees[agrees.claim == 5].set_index("protocol").agrees
    assert fifth.to_dict() == {WRITTEN: True, TWICE: False, MEAN: False, RELEASED: False}
    judged = judging.judge_table(t)
    head, _, *lines = switches.changes(judged, agrees, "quick", "digits_mlp", 0).splitlines()
    assert head.startswith("Verdicts that differ (fewer seeds")
    assert [line[:16] for line in lines] == ["- [Claim 5](#cla", "- [Claim 6](#cla"]
    assert "**reproduced** as written (3 seeds), **not reproduced** as released (3 seeds)" in lines[0]
    assert "Turned by one switch alone: `softmax_twice=true`, `loss_bin=mean_of_exp`." in lines[0]
    assert list(switches.agreement_table(agrees)["Protocol"]) == [
        "as written",
        "`softmax_twice=true`",
        "`loss_bin=mean_of_exp`",
        "as released",
    ]


def test_whether_numbers_agree_is_asked_of_one_seed(monkeypatch):
    t = study_table()
    first = (t.protocol == WRITTEN) & (t.seed == 0) & (t.metric == "accuracy") & (t.architecture == BINARY)
    t.loc[first, "value"] = 0.955
    agrees = agreement(t, monkeypatch).set_index(["protocol", "claim"]).agrees
    assert agrees[WRITTEN, 5] is False


def test_a_change_that_no_switch_makes_is_said(monkeypatch):
    t = study_table()
    t = t[t.protocol.isin([WRITTEN, RELEASED])]
    said = switches.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "single switch" not in said
    assert "urned" not in said
    better = table(paper_world(), seeds=1, protocol=TWICE)
    t = pd.concat([t, better], ignore_index=True)
    said = switches.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "No single switch changes that" in said


def test_nothing_that_changes_is_said_too(monkeypatch):
    t = study_table()
    same = pd.concat([t[t.protocol == WRITTEN], t[t.protocol == WRITTEN].assign(protocol=RELEASED)])
    said = switches.changes(judging.judge_table(same), agreement(same, monkeypatch), "quick", "digits_mlp", 0)
    assert said == "No verdict differs."


def test_a_claim_whose_numbers_alone_change_side_is_told_apart(monkeypatch):
    """With one seed every verdict is undecided, whichever side its numbers lie on."""
    t = study_table()
    t = t[t.seed == 0]
    said = switches.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    head, rest = said.split("\n\n", 1)
    assert head == "No verdict differs."
    assert rest.startswith("The verdict stays, but the numbers of seed 0 change side by the protocol or")
    assert "- [Claim 5](#claim-5)" in rest
    assert "undecided under both" in rest


def test_more_than_one_change_has_a_row_and_is_no_switch(numbers):
    both = f"{TWICE},dropout=first_epoch"
    more = pd.concat([numbers, numbers[numbers.protocol == TWICE].assign(protocol=both)])
    assert "As written but softmax_twice=true, dropout=first_epoch" in set(
        switches.table_of(more, 0)["Protocol"]
    )
    assert switches.sentences(more, 0) == switches.sentences(numbers, 0)


def test_a_switch_of_the_released_code_is_compared_with_it():
    assert switches._row("as_released,softmax_twice=false") == "As released, `softmax_twice`: true → false"


@pytest.mark.parametrize(("accuracy", "turned"), [(0.98, True), (0.95, False)])
def test_the_numbers_of_such_a_switch_turn_from_those_of_the_released_code(monkeypatch, accuracy, turned):
    t = study_table()
    t = t[t.protocol.isin([WRITTEN, RELEASED])]
    back = paper_world() | {("accuracy", BINARY): (0.5, 0.9, accuracy)}
    t = pd.concat([t, table(back, seeds=1, protocol="as_released,softmax_twice=false")], ignore_index=True)
    said = switches.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert ("Turned by one switch alone: as released but softmax_twice=false." in said) is turned
    assert ("No single switch changes that" in said) is not turned


def test_a_switch_that_lacks_a_record_is_not_said_to_turn_nothing(monkeypatch):
    t = study_table()
    t = t[~((t.protocol == TWICE) & (t.architecture == NONE)) & (t.protocol != MEAN)]
    said = switches.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "No single switch of those with all records changes that." in said


def test_one_protocol_alone_is_said(monkeypatch):
    t = study_table()
    t = t[t.protocol == WRITTEN]
    said = switches.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert said.startswith("Not both protocols have records here")


def test_missing_architectures_are_a_dash(monkeypatch):
    t = study_table()
    t = t[(t.protocol != TWICE) | (t.architecture == BINARY)]
    shown = switches.agreement_table(agreement(t, monkeypatch))
    twice = shown.set_index("Protocol").loc["`softmax_twice=true`"]
    assert twice["5"] == "–"
    assert twice["3"] == "yes"


def test_the_figure_has_a_line_for_every_protocol(numbers):
    figure = effects.draw_switches(numbers, 0)
    assert len(figure.axes) == 4
    assert len(figure.axes[0].get_yticklabels()) == 4
