"""What a reader with five minutes is told: the first profile's numbers, in one order."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from worlds import REFUTED, paper_world, table

from binenc import study
from binenc.claims import front
from binenc.claims.effect import Effect
from binenc.claims.judging import judge_table
from binenc.claims.paper import BINARY, NONE
from binenc.profile import ARCHITECTURES, Profile
from binenc.text.words import number


def test_the_numbers_are_of_the_first_profile_and_in_their_order(made):
    found = study.read(["smoke"], ["digits_mlp"])
    worlds = [table(paper_world(), protocol=name) for name in ("as_written", "as_released")]
    judged = judge_table(pd.concat([*worlds, worlds[0].assign(profile="mine")]))
    said = front.numbers(found, found, judged, "#claim-{number}").splitlines()
    titles = [re.match(r"- \*\*(.+?)\*\*", line)[1] for line in said]
    assert titles == [
        "Two peaks",
        "One code per class",
        "Accuracy",
        "Neural collapse",
        "Within-class covariance",
        "digits_mlp, as released",
        "As released beside as written",
        "Simplex at vertices of a hypercube",
    ]
    assert all("[claim " in line and "](#claim-" in line for line in said[:6])
    assert not any("claim" in line for line in said[6:])


def test_without_verdicts_there_is_what_no_claim_asks(made):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    (said,) = front.numbers(found, found, judge_table(found.table)).splitlines()
    case = found.title("smoke", "digits_mlp", "as_written")
    assert said.startswith(f"- **Simplex at vertices of a hypercube** ({case}; no test). ")


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


def test_findings_are_of_the_first_experiment_with_its_numbers():
    both = pd.concat([table(paper_world()), table(paper_world() | REFUTED[5], protocol="as_released")])
    judged = judge_table(both)
    said = front.findings(judged, "claims.html#claim-{number}")
    assert "[claim 5](claims.html#claim-5): ✓ reproduced" in said
    smallest = min(judged[4].effects, key=lambda e: e.shown.mean)
    ahead = "on average it is ahead of all 3 at 1 of 3 evaluations"
    assert f"on test points, {smallest.name}: {smallest}; {ahead}; on training points, " in said
    assert " of the training points do (claimed > 0.99); " in said
    assert "[claim 6](claims.html#claim-6): ✓ reproduced). Binary encoding should" in said
    assert said.count(f"; {ahead}") == 2
    assert said.count("\n- ") == 4
    assert "leave open" not in said
    assert "- **Within-class covariance** ([claim 9](claims.html#claim-9): ✓ reproduced). From the" in said
    assert said.endswith("by Tr(Sw Sb⁺)/C, it falls in all four.")
    released = front.elsewhere(judged, first=True)
    smallest = (
        "smallest lead, in percentage points, on test points binary encoding − non-linear penultimate: −"
    )
    gain = "gain of two peaks over one, in nats, +3.00 [+3.00, +3.00] (claim 1: ✓ reproduced)"
    assert released.startswith(f"- **digits_mlp, as released**, 3 seeds: {gain}; {smallest}")
    assert "(claim 5: ✗ not reproduced" in released
    assert front.elsewhere(judged, first=False) == ""
    recorded = [replace(v, profile="paper", recorded=True) for v in judged[:10]]
    fresh = [replace(v, profile="mine") for v in judged[:10]]
    assert front.elsewhere(judged + recorded + fresh, first=True) == released
    assert front.elsewhere(judged + recorded + fresh, first=False).count("- **") == 1
    alone = judge_table(table(paper_world())[lambda t: t.architecture == BINARY])
    assert front.findings(alone) == front.elsewhere(alone, first=True) == ""


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
    peaks, codes, accuracy, collapse, within = front.findings(judge_table(table(world))).splitlines()
    for said in (
        "changes by ×\N{NO-BREAK SPACE}0.250 [0.250, 0.250] and by ×\N{NO-BREAK SPACE}2.50 [2.50, 2.50];",
        "better than one, in nats, by +1.50 [+1.50, +1.50] under binary encoding, by +0.25 [+0.25, +0.25] ",
        "(claim 1: ✓ reproduced; claim 2: ✓ reproduced)",
    ):
        assert said in peaks
    assert (
        "With a linear penultimate layer 0.1100 [0.1100, 0.1100] of the training points have their" in codes
    )
    assert (
        "binary encoding 0.7000 [0.7000, 0.7000] of the test points and 0.9990 [0.9990, 0.9990] of" in codes
    )
    _, test, train = re.split("on test points, |; on training points, ", accuracy)
    assert test.startswith("binary encoding − no penultimate: +1.000 [")
    assert train.startswith("binary encoding − non-linear penultimate: +0.500 [")
    # The others have (1, 0.7, 0.5), and the mean over the epochs is by the trapezoidal rule.
    best = np.exp((np.log(1.0) + 2 * np.log(0.7) + np.log(0.5)) / 4)
    angles, variance = (np.exp((np.log(x) + 2 * np.log(x / 10) + np.log(x / 100)) / 4) for x in (0.5, 0.25))
    assert f"the angles is ×\N{NO-BREAK SPACE}{number(angles / best)} [" in collapse
    assert f"Tr(Sw Sb⁺)/C, is ×\N{NO-BREAK SPACE}{number(variance / best)} [" in collapse
    assert "at a share of 0.6667 [0.6667, 0.6667] of the evaluations" in collapse
    ends = [float(x) for x in re.findall(r"×\N{NO-BREAK SPACE}([\d.]+) \[", within)]
    assert ends == pytest.approx([0.25, 2, 4, 8], rel=0.01)


def test_beside_a_smallest_lead_that_settles_nothing_stands_the_one_that_is_open():
    t = table(paper_world())
    larger = (t.metric == "accuracy") & (t.split == "test") & (t.architecture == "nonlinear_penultimate")
    t.loc[larger, "value"] = 0.2 + 0.3 * t.seed[larger]
    judged = judge_table(t)
    open_ = next(e for e in judged[4].effects if e.state == "open")
    smallest = min(judged[4].effects, key=lambda e: e.shown.mean)
    assert (
        f"on test points, {smallest.name}: {smallest} (less certain: {open_.name}: {open_}); on"
        in front.findings(judged)
    )


def test_findings_name_what_leaves_the_last_claim_open():
    at_once = {("equinorm", a): (0.1, 0.1, 0.1) for a in ARCHITECTURES}
    judged = judge_table(table(paper_world() | at_once))
    unsure = [e.name for e in judged[7].unsure]
    assert unsure == ["equinorm, time", "equinorm, area"]
    said = front.findings(judged)
    told = "equinorm, time: +1.67 [−5.50, +8.84] epochs, evaluated every 5 (seed by seed 5, 0, 0; claimed < 0"
    assert f"ends; the intervals leave open: {told}; not" in said
    one = front.findings(judge_table(table(paper_world() | at_once, seeds=1)))
    assert "the others ends.\n" in f"{one}\n"
    assert "leave open" not in one
    ratio = Effect("gain", np.log(pd.Series([2.0, 0.5])), "", ratio=True)
    assert ratio.by_seed == "2, 0.500"
