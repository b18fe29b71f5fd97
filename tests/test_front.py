"""What a reader with five minutes is told: the first profile's numbers, in one order."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn import save_all
from worlds import REFUTED, paper_world, table

from binenc import study
from binenc.claims import front, pages
from binenc.claims.effect import Effect
from binenc.claims.judging import judge_table
from binenc.claims.paper import BINARY, NONE
from binenc.profile import ARCHITECTURES, Profile
from binenc.text.words import number


def cells(text: str) -> list[list[str]]:
    """Those of a Markdown table's rows, without its head."""
    return [line[2:-2].split(" | ") for line in text.splitlines() if line.startswith("| ")][2:]


def bold(items: str) -> list[str]:
    return [re.match(r"- \*\*(.+?)\*\*", line)[1] for line in items.splitlines()]


def test_the_numbers_are_of_the_first_profile_and_in_their_order(made):
    worlds = [table(paper_world(), protocol=name) for name in ("as_written", "as_released")]
    worlds = [world.assign(profile="smoke") for world in worlds]
    judged = judge_table(pd.concat([*worlds, worlds[0].assign(profile="mine")]))
    shown, items = front.numbers(judged, "#claim-{number}").split("\n\n")
    assert [row[0] for row in cells(shown)] == [f"[{n}](#claim-{n})" for n in map(int, "112233456788889999")]
    assert all(len(row) == 5 for row in cells(shown))
    assert bold(items) == [f"Claim [{n}](#claim-{n})." for n in (1, 3, 5, 6, 9)]


def test_beyond_the_claims_stands_where_protocols_part_and_why_latents_turn_binary(results):
    profile = Profile.read("first_epochs")
    save_all(profile, [run for run in profile.all_runs() if run.experiment_name.startswith("mnist")])
    found = study.read(["first_epochs"])
    changed = study.read(["first_epochs"], variants=["experiment", "protocol"])
    assert bold(front.findings(found, changed)) == [
        "As released beside as written",
        "One difference at a time",
        "Simplex at vertices of a hypercube",
        "What the exponential does",
        "Other forms of the binary loss",
        "Whose axes the codes are on",
        "What it takes to put class means at vertices",
    ]


def test_of_one_architecture_there_are_the_numbers_that_it_has(made):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    assert [row[0] for row in cells(front.numbers(judge_table(found.table)))] == ["1", "1", "3", "3"]
    case = found.title("smoke", "digits_mlp", "as_written")
    first, said = front.findings(found, found).splitlines()
    assert first.startswith(f"- **Simplex at vertices of a hypercube** ({case}; no test). ")
    assert said.startswith("- **What the exponential does** (2 runs with binary encoding). ")


@pytest.fixture
def lengths():
    """MNIST as recorded for 11 and for 101 epochs; after 11, claim 3 does not hold yet."""
    names = {"paper": "mnist", "first_epochs": "mnist_11_epochs"}
    profiles = {name: Profile.read(name) for name in names}
    found = study.Study(profiles, {name: p.all_runs() for name, p in profiles.items()}, {}, pd.DataFrame())
    early = {("code_share", BINARY): (0.1, 0.5, 0.9)}
    tables = [
        table(paper_world() | (early if profile == "first_epochs" else {}), protocol=protocol).assign(
            profile=profile, experiment=experiment
        )
        for profile, experiment in names.items()
        for protocol in ("as_written", "as_released")
    ]
    judged = judge_table(pd.concat(tables))
    return found, [replace(v, title=found.label(v.profile, v.experiment), recorded=True) for v in judged]


def test_verdicts_on_the_first_epochs_stand_beside_those_at_the_end(lengths):
    found, judged = lengths
    first, second = front.at_length(found, judged).splitlines()
    others = "1 of 10 verdicts change by the end: one code (3), ✗ not reproduced, then ✓ reproduced."
    assert first == f"- **MNIST, 11 of 101 epochs, as written, beside all 101**: {others}"
    assert second == f"- **MNIST, 11 of 101 epochs, as released, beside all 101**: {others}"
    same = [v for v in judged if v.claim.number != 3]
    assert front.at_length(found, same).count("0 of 9 verdicts change by the end.") == 2


def test_only_a_recorded_experiment_that_differs_in_length_alone_is_compared(lengths):
    found, judged = lengths
    assert front.at_length(found, [v for v in judged if v.profile == "paper"]) == ""
    fresh = [replace(v, recorded=v.profile == "paper") for v in judged]
    assert front.at_length(found, fresh) == ""
    other = [replace(v, experiment="fashion_mnist") if v.profile == "paper" else v for v in judged]
    assert front.at_length(found, other) == ""


def test_the_table_has_a_column_an_experiment_and_protocol_that_has_effects():
    both = pd.concat([table(paper_world()), table(paper_world() | REFUTED[5], protocol="as_released")])
    judged = judge_table(both)
    head, *_ = front.table(judged).splitlines()
    heads = "digits_mlp, as written (3 seeds) | digits_mlp, as released (3 seeds)"
    assert head == f"|  | Number | Passes if | {heads} |"
    sourced = front.table([replace(v, source="profile mine, recorded") for v in judged])
    assert sourced.startswith("|  | Number · profile mine, recorded | Passes if |")
    number, title, claimed, written, released = cells(front.table(judged))[7]
    assert (number, title, claimed) == ("5", "Smallest lead in test accuracy, percentage points", "> 0")
    assert re.fullmatch(r"✓.\+2\.00.* \(no penultimate\)", written)
    assert re.fullmatch(r"✗.−0\.500.* \(non-linear penultimate\)", released)
    one = both[(both.protocol == "as_written") | (both.architecture == BINARY)]
    rows = cells(front.table(judge_table(one)))
    assert [row[4] for row in rows[:3]] == [rows[0][4], rows[1][4], ""]  # claim 2 has no linear penultimate
    assert rows[0][4].startswith("+3.00 [")
    alone = judge_table(both[both.architecture == NONE])
    assert front.table(alone) == front.remarks(alone) == ""


def test_what_else_is_recorded_is_told_apart_from_the_first_profile():
    judged = judge_table(table(paper_world()))
    recorded = [replace(v, profile="paper", recorded=True) for v in judged]
    fresh = [replace(v, profile="mine") for v in judged]
    assert front.elsewhere(judged + fresh) == ""
    shown, items = front.elsewhere(judged + recorded + fresh).split("\n\n")
    assert shown == front.table(recorded)
    assert items == front.remarks(recorded)
    assert front.elsewhere(recorded + fresh) == ""


def test_a_remark_stands_once_for_all_that_it_is_of():
    worlds = [table(paper_world()), table(paper_world() | REFUTED[3], protocol="as_released")]
    said = front.remarks(judge_table(pd.concat(worlds)), "claims.html#claim-{number}").splitlines()
    ahead = "on average binary encoding is ahead of all 3 at 1 of 3 evaluations."
    assert said[2] == (
        "- **Claim [5](claims.html#claim-5).** *digits_mlp, as written; digits_mlp, as released*: " + ahead
    )
    assert said[1].startswith(
        "- **Claim [3](claims.html#claim-3).** *digits_mlp, as written*: the mean share"
    )
    assert "at 1 of 3 evaluations, first after epoch 10. *digits_mlp, as released*: still rising" in said[1]
    assert said[-1].endswith("by Tr(Sw Sb⁺)/C, it falls in all four.")


def test_each_finding_is_told_of_its_own_numbers():
    linear, nonlinear = "linear_penultimate", "nonlinear_penultimate"
    world = paper_world() | {
        ("std", BINARY): (4.0, 9.0, 1.0),
        ("std", linear): (1.0, 9.0, 2.5),
        ("gain", BINARY): (0.1, 0.9, 1.5),
        ("gain", linear): (0.1, 0.9, 0.25),
        ("code_share", BINARY, "test"): (0.1, 0.5, 0.7),
        ("code_share", linear): (0.0, 0.05, 0.11),
        ("code_share", nonlinear): (0.0, 0.05, 0.22),
        ("accuracy", NONE, "test"): (0.5, 0.9, 0.97),
        ("accuracy", nonlinear, "train"): (0.5, 0.9, 0.975),
        ("equinorm", BINARY): (1.5, 0.1, 0.01),
        ("equiangularity", BINARY): (0.5, 0.05, 0.005),
        ("tr_sw_sb", BINARY): (0.25, 0.025, 0.0025),
        ("within_class_covariance", BINARY): (4.0, 9.0, 1.0),
        ("within_class_covariance", linear): (1.0, 9.0, 2.0),
        ("within_class_covariance", nonlinear): (1.0, 9.0, 4.0),
        ("within_class_covariance", NONE): (1.0, 9.0, 8.0),
    }
    known = {f"{row[0]} {row[1]}": row[3] for row in cells(front.table(judge_table(table(world))))}
    # The others have (1, 0.7, 0.5), and the mean over the epochs is by the trapezoidal rule.
    best = np.exp((np.log(1.0) + 2 * np.log(0.7) + np.log(0.5)) / 4)
    angles, variance = (np.exp((np.log(x) + 2 * np.log(x / 10) + np.log(x / 100)) / 4) for x in (0.5, 0.25))
    begins = {
        "1 Gain of two peaks over one, nats: binary encoding": "+1.50 [+1.50",
        "1 Width of the peaks, last / first: binary encoding": "✓ × 0.250 [0.250",
        "2 Gain of two peaks over one, nats: linear penultimate": "+0.25 [+0.25",
        "2 Width of the peaks, last / first: linear penultimate": "✓ × 2.50 [2.50",
        "3 Whole-code share, training points: binary encoding": "✓ 0.9990 [0.9990",
        "3 Whole-code share, test points: binary encoding": "0.7000 [0.7000",
        "4 Whole-code share, training points: linear penultimate": "✓ 0.1100 [0.1100",
        "5 Smallest lead in test accuracy, percentage points": "✓ +1.000 [",
        "6 Smallest lead in training accuracy, percentage points": "✓ +0.500 [",
        "7 Difference of two others that is least surely small, percentage points": "✗ +1.50 [",
        "8 Share of evaluations at which binary encoding is ahead on all four": "0.6667 [0.6667",
        "8 Equiangularity, averaged over the epochs / best other": f"✓ × {number(angles / best)} [",
        "8 Tr(Sw Sb⁺)/C, averaged over the epochs / best other": f"✓ × {number(variance / best)} [",
        "8 The least certain of the claim's eight numbers": "✓ ",
        "9 Within-class covariance, last / first: binary encoding": "✓ × 0.250 [",
        "9 Within-class covariance, last / first: linear penultimate": "✓ × 2.00 [",
        "9 Within-class covariance, last / first: non-linear penultimate": "✓ × 4.00 [",
        "9 Within-class covariance, last / first: no penultimate": "✓ × 8.00 [",
    }
    assert known.keys() == begins.keys()
    for row, begin in begins.items():
        assert known[row].replace("\N{NO-BREAK SPACE}", " ").startswith(begin), (row, known[row])
    assert known["5 Smallest lead in test accuracy, percentage points"].endswith(" (no penultimate)")
    assert known["6 Smallest lead in training accuracy, percentage points"].endswith(
        "(non-linear penultimate)"
    )


def test_beside_a_smallest_lead_that_settles_nothing_stands_the_one_that_is_open():
    t = table(paper_world())
    larger = (t.metric == "accuracy") & (t.split == "test") & (t.architecture == "nonlinear_penultimate")
    t.loc[larger, "value"] = 0.2 + 0.3 * t.seed[larger]
    judged = judge_table(t)
    open_ = next(e for e in judged[4].effects if e.state == "open")
    smallest = min(judged[4].effects, key=lambda e: e.shown.mean)
    shown = cells(front.table(judged))[7][3]
    names = (e.name.removeprefix("binary encoding − ") for e in (smallest, open_))
    told, other = (f"{pages.marked(e)} ({name})" for e, name in zip((smallest, open_), names, strict=True))
    assert shown == f"{told}; less sure: {other}"


def test_a_remark_names_what_leaves_neural_collapse_open():
    at_once = {("equinorm", a): (0.1, 0.1, 0.1) for a in ARCHITECTURES}
    judged = judge_table(table(paper_world() | at_once))
    unsure = [e.name for e in judged[7].unsure]
    assert unsure == ["equinorm, time", "equinorm, area"]
    said = front.remarks(judged)
    assert "the intervals leave open: equinorm, time, +1.67 [−5.50, +8.84] epochs (not reached" in said
    assert "seed by seed" not in said
    assert cells(front.table(judged))[13][3].endswith("+1.67 [−5.50, +8.84] epochs (equinorm, time)")
    one = front.remarks(judge_table(table(paper_world() | at_once, seeds=1)))
    assert "leave open" not in one
    ratio = Effect("gain", np.log(pd.Series([2.0, 0.5])), "", ratio=True)
    assert ratio.by_seed == "2, 0.500"
