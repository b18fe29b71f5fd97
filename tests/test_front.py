"""What a reader with five minutes is told: the first profile's numbers, in one order."""

import re
from dataclasses import replace

import pandas as pd
import pytest
from worlds import BINARY, paper_world, table

from binenc import study
from binenc.claims import front
from binenc.claims.judging import judge_table
from binenc.profile import Profile


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
