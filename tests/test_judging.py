"""Every claim judged, and the frames in which that is handed on."""

import dataclasses

import pytest
from worlds import BINARY, NONE, judge, paper_world, table

from binenc import records, study
from binenc.claims import judging
from binenc.claims.judging import effects_frame, to_frame


def test_the_weakest_of_one_seed():
    v = judge(5, table(paper_world() | {("accuracy", NONE): (0.5, 0.9, 0.979)}, seeds=1))
    assert v.weakest.name == "binary encoding − no penultimate"


def test_seeds_are_those_of_the_effect_that_has_fewest():
    t = table(paper_world())
    v = judge(5, t[~((t.architecture == NONE) & (t.seed == 2))])
    assert v.n_seeds == to_frame([v]).n_seeds[0] == 2
    assert effects_frame([v]).n_seeds.tolist() == [3, 3, 2]


@pytest.mark.parametrize("number", range(1, 11))
def test_frames_say_the_effects_as_they_are_shown(number):
    v = judge(number, table(paper_world()))
    rows = effects_frame([v])
    limits = rows[["effect", "low", "high"]].to_numpy().tolist()
    assert limits == [pytest.approx(e.shown) for e in v.effects]
    decides = [e.decides for e in v.effects]
    assert rows.state.tolist() == ["holds" if d else "" for d in decides]
    assert rows.claimed.ne("").tolist() == decides


def test_no_evidence_is_said_where_records_lack_too():
    t = table(paper_world())
    judged = judging.judge_table(t[t.architecture == BINARY], {"quick": "too small"})
    assert {v.why for v in judged} == {"too small"}


def test_a_study_is_judged_with_the_sizes_and_the_source_of_its_records(made, smoke):
    run = smoke.run("digits_mlp", "as_written", "linear_penultimate", 0)
    record = made[run.id]
    changed = records.Record(record.run | {"n_parameters": 11}, record.history, record.arrays)
    records.save(changed, records.folder(smoke, run))
    found = study.read(["smoke"])
    judged = judging.judge(found)
    assert {(v.source, v.verdict) for v in judged} == {("profile smoke, trained afresh", "undecided")}
    assert {v.why for v in judged} == {"the profile smoke is too small to say anything"}
    assert not any(v.recorded for v in judged)
    shipped = dataclasses.replace(found, profiles={"smoke": smoke.model_copy(update={"recorded": True})})
    assert all(v.recorded for v in judging.judge(shipped))
    (size,) = [v for v in judged if v.claim.number == 10 and v.where == "Digits (MLP), as written"]
    assert [e.interval.mean for e in size.effects] == [-1.0, 0.0]
