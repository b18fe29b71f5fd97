"""What a reader with five minutes is told: the first profile's numbers, in one order."""

import re

import pandas as pd
from worlds import paper_world, table

from binenc import study
from binenc.claims import front
from binenc.claims.judging import judge_table


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
    assert said.startswith("- **Simplex at vertices of a hypercube** (no test). ")
