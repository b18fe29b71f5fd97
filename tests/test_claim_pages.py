"""Verdicts as a reader sees them."""

import dataclasses
import itertools
import math
import re

import nbformat
import numpy as np
import pandas as pd
import pytest
from worlds import REFUTED, judge, paper_world, table

from binenc.claims import judging
from binenc.claims.judging import effects_frame, known, to_frame
from binenc.claims.pages import (
    COLOURS,
    claim_markdown,
    headline,
    summary,
    table_html,
    table_markdown,
    tally,
)
from binenc.claims.paper import BINARY, CLAIMS, NONE
from binenc.figures.effects import forest
from binenc.profile import ARCHITECTURES, ROOT, InputError


def test_tables_show_words_for_every_claim_and_column():
    both = pd.concat([table(paper_world()), table(paper_world() | REFUTED[3], protocol="as_released")])
    judged = judging.judge_table(both)
    frame = to_frame(judged)
    lines = table_markdown(frame).splitlines()
    assert len(lines) == 12
    assert {line.count("|") for line in lines} == {5}
    assert "✓ reproduced | ✗ not reproduced |" in lines[4]
    assert lines[2].startswith("| 1 | Under binary encoding")
    html = table_html(frame, "#claim-{number}")
    assert html.count("<td") == 20
    assert html.count('href="#claim-') == 10
    text = claim_markdown(judged, "test-accuracy")
    assert text.count("binary encoding − ") >= 3
    first, second = summary(frame).splitlines()[:2]
    said = (
        "quick, 3 seeds, intervals of ± 4.3 standard errors. Reproduced: binarity (1), linear not binary (2)"
    )
    others = "only binary encoding (4), test accuracy (5), train accuracy (6), others comparable (7), "
    others += "faster collapse (8), within class covariance (9), equal size (10)"
    assert first == f"- **digits_mlp, as written**, {said}, one code (3), {others}."
    assert second == f"- **digits_mlp, as released**, {said}, {others}; not reproduced: one code (3)."
    assert len(effects_frame(judged)) == sum(len(v.effects) for v in judged)


def test_two_sources_of_records_make_two_tables():
    t = table(paper_world())
    frame = to_frame(judging.judge_table(pd.concat([t, t.assign(profile="paper")])))
    first, second = table_markdown(frame).split("\n\n")
    assert "quick" in first
    assert "paper" in second


@pytest.mark.parametrize(("changes", "lean"), [({}, "for"), (REFUTED[5], "against")])
def test_what_is_undecided_says_where_the_means_lean(changes, lean):
    one_seed = table(paper_world() | changes, seeds=1)
    frame = to_frame([judge(5, one_seed)])
    assert f"? undecided, leans {lean}" in table_markdown(frame)
    assert f">? undecided, leans {lean}</td>" in table_html(frame)
    decided = to_frame([judge(5, table(paper_world() | changes))])
    nothing = to_frame(judging.judge_table(one_seed, {"quick": "too small"}))
    for other in (decided, nothing):
        assert "leans" not in table_markdown(other) + table_html(other)


def test_a_claim_without_records_is_told_from_an_undecided_one():
    t = table(paper_world())
    judged = judging.judge_table(t[t.architecture == BINARY])
    frame = to_frame(judged)
    assert table_markdown(frame).count("– lacks records |") == 8
    assert table_html(frame).count(">– lacks records</td>") == 8
    first = summary(frame).splitlines()[0]
    assert ". Reproduced: binarity (1), one code (3); without the records that it takes: linear not" in first
    assert re.findall(r"\((\d+)\)", first) == ["1", "3", "2", "4", "5", "6", "7", "8", "9", "10"]
    text = claim_markdown(judged, "test-accuracy")
    assert "lacks records: there are no records of Linear penultimate." in text
    one = to_frame(judging.judge_table(table(paper_world(), seeds=1)))
    assert "1 seed. Reproduced: equal size (10); undecided: binarity (1), linear not" in summary(one)


def test_claims_that_rest_on_more_seeds_than_others_are_told():
    t = table(paper_world())
    fewer = t[~((t.architecture == NONE) & (t.seed == 2))]
    assert ", 3 seeds, intervals of ± 4.3 standard errors. " in headline(to_frame(judging.judge_table(t)))
    assert ", 2 to 3 seeds. " in headline(to_frame(judging.judge_table(fewer)))


def test_what_is_no_evidence_is_in_no_count_and_lacks_nothing():
    t = table(paper_world())
    short = t[t.architecture == BINARY].assign(profile="smoke")
    no = {"smoke": "too small"}
    frame = to_frame(judging.judge_table(pd.concat([t, short]), no))
    whole, too_short = summary(frame).splitlines()[:2]
    assert ". Reproduced: binarity (1), " in whole
    assert whole.endswith(", equal size (10).")
    assert ";" not in whole
    assert too_short.endswith(". Too short to judge a claim by.")
    assert table_markdown(frame).count("? undecided |") == 10
    assert "lacks records" not in table_markdown(frame) + table_html(frame)
    assert "Too short" in headline(to_frame(judging.judge_table(short, no)))


def test_a_column_says_on_how_many_seeds_it_rests():
    both = pd.concat([table(paper_world()), table(paper_world(), protocol="as_released", seeds=1)])
    frame = to_frame(judging.judge_table(both))
    assert "| digits_mlp, as written (3 seeds) | digits_mlp, as released (1 seed) |" in table_markdown(frame)
    heads = re.findall(r'<th scope="col">(.*?)</th>', table_html(frame))
    assert heads == ["Claim", "digits_mlp, as written (3 seeds)", "digits_mlp, as released (1 seed)"]


def test_a_note_of_several_effects_is_said_once():
    late = {("max_angle", a): (np.nan, 0.9, 0.8) for a in ARCHITECTURES}
    late |= {("equinorm", a): (np.nan, 0.9, 0.8) for a in ARCHITECTURES}
    why = judge(8, table(paper_world() | late)).why
    assert "On equinorm, area; max angle, area: 3 of 9 evaluations left out" in why
    assert why.count("left out") == 1


def test_reasons_that_are_alike_stand_once():
    both = pd.concat([table(paper_world(), protocol=p) for p in ("as_written", "as_released")])
    judged = judging.judge_table(both, which=[known("equal-size"), known("one-code")])
    alike = "- **digits_mlp, as written**; **digits_mlp, as released**: ✓ reproduced (3 seeds): "
    assert claim_markdown(judged, "equal-size").endswith(f"\n\n{alike}exactly, without an interval.")
    fewer = both[(both.protocol == "as_written") | (both.seed < 2)]
    judged = judging.judge_table(fewer, which=[known("equal-size")])
    assert claim_markdown(judged, "equal-size").count("\n- **") == 2


def test_a_verdict_on_seeds_that_tie_is_marked_in_every_table():
    worse = {("accuracy", BINARY): (0.5, 0.9, 0.95)}
    for noise, marked in ((0.0, 1), (1e-6, 0)):
        frame = to_frame([judge(6, table(paper_world() | worse, noise=noise))])
        for shown in (table_markdown(frame), table_html(frame)):
            assert shown.count("✗ not reproduced, seeds tie") == marked
            assert shown.count("✗ not reproduced") == 1


def test_signs_and_colours_are_those_of_the_verdict():
    t = table(paper_world() | {("accuracy", NONE): (0.5, 0.9, 0.99)})
    mine = (t.metric == "accuracy") & (t.architecture == "linear_penultimate") & (t.seed == 1)
    t.loc[mine & (t.epoch == t.epoch.max()), "value"] = 0.99
    lines = [line.split("|") for line in claim_markdown([judge(5, t)], "test-accuracy").splitlines()]
    signs = {line[1].split(" (")[0].strip(): line[3].strip()[0] for line in lines if len(line) > 3}
    assert signs["binary encoding − linear penultimate"] == "?"
    assert signs["binary encoding − non-linear penultimate"] == "✓"
    assert signs["binary encoding − no penultimate"] == "✗"
    red, green = (int(COLOURS["reproduced"][0][i : i + 2], 16) for i in (1, 3))
    assert green > red
    red, green = (int(COLOURS["not reproduced"][0][i : i + 2], 16) for i in (1, 3))
    assert red > green


def test_the_page_of_claims_has_each_under_its_number():
    cells = nbformat.read(ROOT / "book/claims.ipynb", as_version=4).cells
    sections = itertools.pairwise(cells)
    found = [
        (int(head[1]), int(head[2]), re.fullmatch(r'show_claim\(judged, "(.+)"\)', call.source)[1])
        for cell, call in sections
        if (head := re.match(r"\(claim-(\d+)\)=\n## (\d+)\. ", cell.source))
    ]
    assert found == [(c.number, c.number, c.slug) for c in CLAIMS]
    with pytest.raises(InputError, match=r"claim 'binary': allowed are binarity, linear-not-binary"):
        known("binary")


def test_an_effect_on_more_seeds_than_the_verdict_says_so():
    t = table(paper_world())
    text = claim_markdown([judge(5, t[~((t.architecture == NONE) & (t.seed == 2))])], "test-accuracy")
    rows = [line for line in text.splitlines() if "percentage points" in line]
    assert [line.endswith("] (3 seeds) |") for line in rows] == [True, True, False]
    assert "(3 seeds) |" not in claim_markdown([judge(5, t)], "test-accuracy")


def test_a_claim_has_a_table_a_source():
    judged = judging.judge_table(table(paper_world()))
    other = [dataclasses.replace(v, profile="paper", source="profile paper, recorded") for v in judged]
    text = claim_markdown(
        [dataclasses.replace(v, source="profile quick, trained afresh") for v in judged] + other, "one-code"
    )
    heads = [line for line in text.splitlines() if line.startswith("| Effect")]
    assert heads == [
        "| Effect · profile quick, trained afresh | Passes if | digits_mlp, as written |",
        "| Effect · profile paper, recorded | Passes if | digits_mlp, as written |",
    ]
    assert text.count("| whole-code share (share of points) | > 0.99 | ✓") == 2


@pytest.mark.parametrize(("number", "seeds"), [(1, 3), (3, 1), (7, 3), (8, 1)])
def test_a_figure_has_a_line_for_every_effect(number, seeds):
    v = judge(number, table(paper_world(), seeds=seeds))
    figure = forest([v])
    labels = [x.get_text() for ax in figure.axes for x in ax.get_yticklabels()]
    assert len(labels) == len(v.effects)


def test_an_effect_that_is_not_defined_is_written_where_its_mark_would_be():
    nowhere = {("equinorm", "linear_penultimate"): (1.0, 0.7, math.nan)}
    for changes, n in (({}, 0), (nowhere, 1)):
        v = judge(8, table(paper_world() | changes))
        texts = [text.get_text() for ax in forest([v]).axes for text in ax.texts]
        assert texts == ["not defined"] * sum(math.isnan(e.interval.mean) for e in v.effects)
        assert len(texts) >= n


def test_verdicts_can_be_read_on_their_colours():
    def luminance(colour):
        rgb = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in rgb]
        return np.dot([0.2126, 0.7152, 0.0722], linear)

    for back, front in COLOURS.values():
        assert (luminance(back) + 0.05) / (luminance(front) + 0.05) > 7


def test_a_tally_has_each_claim_once_a_row():
    both = pd.concat([table(paper_world()), table(paper_world() | REFUTED[3], protocol="as_released")])
    one = table(paper_world(), seeds=1, protocol="as_written,dropout=first_epoch")
    *_, first, second, third = tally(to_frame(judging.judge_table(pd.concat([both, one])))).splitlines()
    assert first == "| digits_mlp, as written · quick | 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 | – | – |"
    assert second == "| digits_mlp, as released · quick | 1, 2, 4, 5, 6, 7, 8, 9, 10 | 3 | – |"
    assert third.endswith("| 10 | – | 1, 2, 3, 4, 5, 6, 7, 8, 9 |")
    assert tally(to_frame(judging.judge_table(both)).iloc[:0]) == ""
