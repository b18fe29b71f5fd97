"""Which claims turn under single differences of the protocols, on tables whose numbers are known."""

import pandas as pd
import pytest
from test_claims import BINARY, NONE, paper_world, table
from test_switches import MEAN, RELEASED, TWICE, WORSE, WRITTEN, study_table

from binenc.claims import judging, turns


def agreement(t: pd.DataFrame, monkeypatch) -> pd.DataFrame:
    monkeypatch.setattr(turns, "sized", lambda found: found.table)
    found = type("Found", (), {"table": t})()
    return turns.agreement(found, "quick", "digits_mlp", 0)


def test_the_switch_that_turns_a_claim_is_named(monkeypatch):
    t = study_table()
    agrees = agreement(t, monkeypatch)
    fifth = agrees[agrees.claim == 5].set_index("protocol").agrees
    assert fifth.to_dict() == {WRITTEN: True, TWICE: False, MEAN: False, RELEASED: False}
    judged = judging.judge_table(t)
    head, _, *lines = turns.changes(judged, agrees, "quick", "digits_mlp", 0).splitlines()
    assert head.startswith("Verdicts that differ (fewer seeds")
    assert [line[:16] for line in lines] == ["- [Claim 5](#cla", "- [Claim 6](#cla"]
    assert "**reproduced** as written (3 seeds), **not reproduced** as released (3 seeds)" in lines[0]
    assert "Turned by one switch alone: `softmax_twice=true`, `loss_bin=mean_of_exp`." in lines[0]
    assert list(turns.agreement_table(agrees)["Protocol"]) == [
        "as written",
        "`softmax_twice=true`",
        "`loss_bin=mean_of_exp`",
        "as released",
    ]


def test_claims_with_two_verdicts_are_listed_by_experiment():
    t = study_table()
    alone = t[t.protocol == WRITTEN].assign(experiment="alone")
    same = [t[t.protocol == WRITTEN].assign(experiment="same", protocol=p) for p in (WRITTEN, RELEASED)]
    found = type("Found", (), {"title": lambda self, *case: "/".join(case)})()
    judged = judging.judge_table(pd.concat([t, alone, *same], ignore_index=True))
    head, items = turns.summary(found, judged).split("\n\n")
    assert head.startswith("Claims, by number, with two verdicts, as written and then as released")
    verdicts = [v.verdict for v in judged if (v.experiment, v.protocol) == ("same", WRITTEN)]
    undecided = verdicts.count("undecided")
    assert items.splitlines() == [
        "- *quick/digits_mlp*: reproduced, then not reproduced: [5](#claim-5), [6](#claim-6); the same for 8 "
        f"claims, undecided in both for {undecided} of them.",
        f"- *quick/same*: the same for 10 claims, undecided in both for {undecided} of them.",
    ]
    assert turns.summary(found, [v for v in judged if v.experiment == "alone"]) == ""


def test_of_a_switch_with_several_seeds_the_verdict_is_told(monkeypatch):
    t = study_table()
    several = table(paper_world() | WORSE, noise=1e-5, protocol=TWICE)
    t = pd.concat([t[t.protocol != TWICE], several], ignore_index=True)
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    told = "`loss_bin=mean_of_exp`, `softmax_twice=true` (3 seeds: **not reproduced**)."
    assert said.count(f"Turned by one switch alone: {told}") == 2
    assert "Another verdict" not in said


def test_a_verdict_that_seed_0_does_not_show_is_told_of_a_switch(monkeypatch):
    """Seed 0 alone agrees with claim 5 under the switch, two others do not."""
    t = study_table()
    several = table(paper_world() | WORSE, noise=1e-5, protocol=TWICE)
    good = table(paper_world(), seeds=1, noise=1e-5, protocol=TWICE)
    t = pd.concat([t[~t.protocol.isin([TWICE, MEAN])], several[several.seed > 0], good], ignore_index=True)
    t.loc[t.protocol == RELEASED, "value"] = t[t.protocol == WRITTEN].value.to_numpy()
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    first, *_ = (line for line in said.splitlines() if line.startswith("- [Claim 5]"))
    told = (
        "No single switch that was run here changes that. Another verdict by one switch alone: `softmax_twice"
    )
    assert f"agree with it under both. {told}=true` (3 seeds: **undecided**, leans against)." in first


def test_a_lean_that_turns_round_is_told(monkeypatch):
    t = study_table()
    t = t[(t.seed == 0) & t.protocol.isin([WRITTEN, RELEASED])]
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "undecided under both, leans for as written, against as released. The numbers of seed 0 " in said


def test_whether_numbers_agree_is_asked_of_one_seed(monkeypatch):
    t = study_table()
    first = (t.protocol == WRITTEN) & (t.seed == 0) & (t.metric == "accuracy") & (t.architecture == BINARY)
    t.loc[first, "value"] = 0.955
    agrees = agreement(t, monkeypatch).set_index(["protocol", "claim"]).agrees
    assert agrees[WRITTEN, 5] is False


def test_a_change_that_no_switch_makes_is_said(monkeypatch):
    t = study_table()
    t = t[t.protocol.isin([WRITTEN, RELEASED])]
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "single switch" not in said
    assert "urned" not in said
    better = table(paper_world(), seeds=1, protocol=TWICE)
    t = pd.concat([t, better], ignore_index=True)
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "No single switch that was run here changes that" in said


def test_nothing_that_changes_is_said_too(monkeypatch):
    t = study_table()
    same = pd.concat([t[t.protocol == WRITTEN], t[t.protocol == WRITTEN].assign(protocol=RELEASED)])
    said = turns.changes(judging.judge_table(same), agreement(same, monkeypatch), "quick", "digits_mlp", 0)
    assert said == "No verdict differs."


def test_a_claim_whose_numbers_alone_change_side_is_told_apart(monkeypatch):
    """With one seed every verdict is undecided, whichever side its numbers lie on."""
    t = study_table()
    t = t[t.seed == 0]
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    head, rest = said.split("\n\n", 1)
    assert head == "No verdict differs."
    assert rest.startswith(
        "The verdict is the same under both, but where it leans, the side of the numbers of"
    )
    assert "- [Claim 5](#claim-5)" in rest
    assert "undecided under both" in rest


@pytest.mark.parametrize(("accuracy", "turned"), [(0.98, True), (0.95, False)])
def test_the_numbers_of_such_a_switch_turn_from_those_of_the_released_code(monkeypatch, accuracy, turned):
    t = study_table()
    t = t[t.protocol.isin([WRITTEN, RELEASED])]
    back = paper_world() | {("accuracy", BINARY): (0.5, 0.9, accuracy)}
    t = pd.concat([t, table(back, seeds=1, protocol="as_released,softmax_twice=false")], ignore_index=True)
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert ("Turned by one switch alone: as released but softmax_twice=false." in said) is turned
    assert ("No single switch that was run here changes that" in said) is not turned


def test_a_switch_that_lacks_a_record_is_not_said_to_turn_nothing(monkeypatch):
    t = study_table()
    t = t[~((t.protocol == TWICE) & (t.architecture == NONE)) & (t.protocol != MEAN)]
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert "No single switch that was run here and has all records changes that." in said


def test_one_protocol_alone_is_said(monkeypatch):
    t = study_table()
    t = t[t.protocol == WRITTEN]
    said = turns.changes(judging.judge_table(t), agreement(t, monkeypatch), "quick", "digits_mlp", 0)
    assert said.startswith("Not both protocols have records here")


def test_missing_architectures_are_a_dash(monkeypatch):
    t = study_table()
    t = t[(t.protocol != TWICE) | (t.architecture == BINARY)]
    shown = turns.agreement_table(agreement(t, monkeypatch))
    twice = shown.set_index("Protocol").loc["`softmax_twice=true`"]
    assert twice["5"] == "–"
    assert twice["3"] == "yes"
