"""Sentences out of records."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from binenc import records, study
from binenc.geometry import simplex
from binenc.profile import ARCHITECTURES
from binenc.text import prose
from binenc.text.words import number


def test_ranking_goes_from_high_to_low_and_states_the_lead(made):
    text = prose.ranking(study.read(["smoke"], protocols=["as_released"]), "accuracy", "test")
    values = {
        title: made[f"digits_mlp/as_released/{a}/seed-0"].final("accuracy", "test")
        for a, title in ARCHITECTURES.items()
    }
    order = sorted(values, key=values.get, reverse=True)
    assert sorted(order, key=text.index) == order
    first, second, *_ = sorted(values.values(), reverse=True)
    assert f"leads by {number(100 * (first - second), 2)} percentage points" in text


def test_a_lead_is_over_the_seeds_that_all_have(made):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"])
    t = found.table
    at = dict(zip(ARCHITECTURES, (0.8, 0.7, 0.6, 0.5), strict=True))
    t = t[t.seed == 0].assign(value=lambda t: t.architecture.map(at))
    alone = t[t.architecture == "no_penultimate"].assign(seed=7, value=1.0)
    more = dataclasses.replace(found, table=pd.concat([t, alone]))
    text = prose.ranking(more, "accuracy", "test")
    assert text == prose.ranking(dataclasses.replace(found, table=t), "accuracy", "test")
    assert text.endswith("No penultimate 0.5000; the first leads by 10 percentage points (n = 1).")
    apart = dataclasses.replace(found, table=pd.concat([t[t.architecture != "no_penultimate"], alone]))
    assert prose.ranking(apart, "accuracy", "test").endswith(": no seed has all architectures.")


def test_a_lead_that_is_no_share_is_in_the_unit_of_the_metric(made):
    found = study.read(["smoke"], protocols=["as_released"])
    values = dict(zip(ARCHITECTURES, (0.7, 0.2, 0.45, 0.1), strict=True))
    known = dataclasses.replace(found, table=found.table.assign(value=found.table.architecture.map(values)))
    assert "; the first leads by 0.25 (n = 1)." in prose.ranking(known, "gain", "train")
    assert "; the first leads by 25 percentage points (n = 1)." in prose.ranking(known, "accuracy", "train")


def test_architectures_that_are_level_are_said_to_be(made):
    found = study.read(["smoke"], protocols=["as_released"])
    level = dataclasses.replace(found, table=found.table.assign(value=1.0))
    assert "; all 4 are level (n = 1)." in prose.ranking(level, "accuracy", "test")
    level.table.loc[level.table.architecture == "linear_penultimate", "value"] = 1 - 1e-16
    assert "; all 4 are level (n = 1)." in prose.ranking(level, "accuracy", "test")
    level.table.loc[level.table.architecture == "no_penultimate", "value"] = 0.5
    assert "; the first 3 are level (n = 1)." in prose.ranking(level, "accuracy", "test")


def test_shared_rows_are_named_in_groups():
    book = np.array([[0, 1], [1, 1], [0, 1], [1, 0], [1, 1], [0, 1]])
    assert prose.shared_rows(book, list("abcdef")) == [["a", "c", "f"], ["b", "e"]]
    assert prose.shared_rows(book[:2], ["a", "b"]) == []


def test_sharing_names_run_classes_and_accuracy(made):
    found = study.read(["smoke"], protocols=["as_released"], architectures=["binary_encoding"])
    text = prose.sharing(found)
    record = made["digits_mlp/as_released/binary_encoding/seed-0"]
    assert text.startswith("In 1 of 1 runs")
    assert "class 0 and class 1" in text
    assert f"{record.final('accuracy', 'test'):.4f} test" in text


@pytest.mark.parametrize(
    ("protocol", "book", "said"),
    [
        ("as_written", [[0, 0], [0, 0], [1, 0], [0, 1]], "class 0 and class 1"),
        ("as_released", [[0, 0], [0, 0], [1, 0], [0, 1]], "class 0 and class 1 (no bit is 1: perhaps"),
        ("as_released", [[1, 0], [1, 0], [0, 1], [0, 1]], "class 0 and class 1; class 2 and class 3"),
        ("as_released", [[0, 0], [0, 1], [1, 0], [1, 1]], "none, but some class has no point"),
    ],
)
def test_sharing_with_classes_that_are_never_predicted(made, smoke, protocol, book, said):
    run = smoke.run("digits_mlp", protocol, "binary_encoding", 0)
    record = made[run.id]
    earlier = [[1, 1], [1, 1], [1, 1], [1, 1]]
    record.arrays["codebook"] = np.array([earlier, book]) > 0
    record.history.loc[record.history.metric == "distinct_codebook_rows", "value"] = 3.0
    records.save(record, records.folder(smoke, run))
    asked = {"protocols": [protocol], "architectures": ["binary_encoding"], "experiments": ["digits_mlp"]}
    assert f"seed 0: {said}" in prose.sharing(study.read(["smoke"], seeds=[0], **asked))


def test_sharing_where_no_class_does(made, smoke):
    run = smoke.run("digits_mlp", "as_released", "binary_encoding", 0)
    record = made[run.id]
    record.history.loc[record.history.metric == "distinct_codebook_rows", "value"] = 4.0
    records.save(record, records.folder(smoke, run))
    text = prose.sharing(study.read(["smoke"], protocols=["as_released"], architectures=["binary_encoding"]))
    assert text.startswith("In none of the 1 runs")


def test_summary_of_a_run(made, smoke):
    record = made[smoke.all_runs()[0].id]
    ends = {("log_likelihood", "train"): 0.11, ("std", "train"): 0.12, ("code_share", "train"): 0.13}
    ends |= {("accuracy", "train"): 0.14, ("accuracy", "test"): 0.15, ("tr_sw_sb", "train"): 0.16}
    h = record.history.set_index(["metric", "split"])
    for key, value in (ends | {("distinct_codebook_rows", "train"): 3}).items():
        h.loc[[key], "value"] = value
    record = dataclasses.replace(record, history=h.reset_index())
    assert prose.run_summary(record) == (
        "After epoch 5: log-likelihood of two peaks 0.1100, peak std 0.1200; a share 0.1300 of the training "
        "points have their class's code, 3 of 4 codebook rows are distinct; accuracy 0.1400 on training and "
        "0.1500 on test points; Tr(Sw Sb⁺)/C 0.1600."
    )
    assert "class 0 and class 1" in prose.run_sharing(record)
    assert "softmax_twice: false" in prose.configuration(record)


@pytest.mark.parametrize(("most", "small"), [(1.09, True), (1.11, False)])
def test_the_loss_says_whether_its_exponential_is_reached(made, most, small):
    found = study.read(["smoke"], protocols=["as_written"])
    mine = (found.table.metric == "loss_bin") & (found.table.architecture == "binary_encoding")
    found.table.loc[mine, "value"] = 1.02
    found.table.loc[mine.idxmax(), "value"] = most
    found.table.loc[(found.table.metric == "loss_bin") & ~mine, "value"] = 99.0
    said = prose.loss_range(found)
    assert "(3 runs with binary encoding). The gradient of" in said
    assert f"between 1.020 and {number(most, 4)}; there" in said
    assert ("less than a tenth" in said) is small


def test_the_floor_of_a_simplex_is_of_the_test_points_of_each_dataset(made):
    """In these records no test point counts to the first of four classes, the rest are equally large."""
    found = study.read(["smoke"], protocols=["as_written"])
    norm, angles, largest = (number(x, 2) for x in simplex(np.array([0, 5, 5, 5])).values())
    said = f"equinorm {norm}, equiangularity {angles}, max angle {largest} (digits)."
    assert prose.simplex_floor(found).endswith(f"of the curves, they would be: {said}")
    assert prose.simplex_floor(study.read(["smoke"], protocols=["as_released"])) == ""


def test_angles_of_class_means_stand_beside_those_of_random_directions(made):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"])
    t, equal = found.table, found.table.metric == "equiangularity"
    values = {"binary_encoding": 0.01, "linear_penultimate": 0.9, "no_penultimate": math.nan}
    for architecture, value in values.items():
        t.loc[equal & (t.architecture == architecture), "value"] = value
    start = equal & (t.epoch == 0) & (t.architecture == "binary_encoding")
    t.loc[start, "value"] = 0.04
    first, _, line = prose.simplex_ends(found).splitlines()
    d = made["digits_mlp/as_written/binary_encoding/seed-0"].arrays["test_class_means"].shape[1]
    assert "in 1 of 1 cases with binary encoding and 1 of 2 cases without it (" in first
    others = found.only("linear_penultimate", "nonlinear_penultimate")
    assert "in 1 of 2 cases without binary encoding (" in prose.simplex_ends(others)
    assert f"binary encoding 0.010 ({number(d**-0.5, 2)}; × 0.25), linear penultimate 0.90 (" in line
    t.loc[start, "value"] = math.nan
    assert f"binary encoding 0.010 ({number(d**-0.5, 2)}), linear" in prose.simplex_ends(found)
    assert "no penultimate" not in line
    t.loc[equal, "value"] = math.nan
    assert prose.simplex_ends(found) == ""


def test_other_readings_of_the_loss_are_not_told_by_the_formula_of_this_one(made):
    found = study.read(["smoke"], protocols=["as_written"])
    table = found.table.assign(protocol="as_written,loss_bin=exp_of_norm")
    said = prose.loss_range(dataclasses.replace(found, table=table))
    assert said == ""
    assert "(1 run with binary encoding)" in prose.loss_range(
        study.read(["smoke"], protocols=["as_released"])
    )


@pytest.mark.parametrize(
    ("before", "mine", "leads"),
    [(0.94, 0.93, "leads: test"), (0.98, 0.97, "leads by more: test"), (0.98, 0.90, ""), (0.96, 0.97, "")],
)
def test_accuracies_as_released_are_set_beside_those_as_written(made, before, mine, leads):
    found = study.read(["smoke"], ["digits_mlp"])
    t = found.table
    values = {"as_written": [before, 0.95, 0.96, 0.97], "as_released": [mine, 0.90, 0.91, 0.92]}
    for protocol, four in values.items():
        for architecture, value in zip(ARCHITECTURES, four, strict=True):
            t.loc[(t.protocol == protocol) & (t.architecture == architecture), "value"] = value
    known = (t.protocol == "as_released") & (t.architecture != "binary_encoding")
    others = t[known & (t.metric == "accuracy")].value
    (line,) = prose.protocols_apart(found, "smoke").splitlines()
    assert f"est accuracy as released (n = 1) is {mine:.4f} with binary encoding, " in line
    assert f"{others.min():.4f} to {others.max():.4f}" in line.replace(f"{others.min():.4f};", "")
    assert "the others; as written (n = 1), 0.9" in line
    why = "). On average all lose accuracy under the released training, binary encoding least, so it "
    assert (why + leads in line) if leads else (why not in line)


@pytest.mark.parametrize(
    ("written", "released", "said"),
    [
        ([0.75, 0.5, 0.5, 0.5], [0.5, 0.25, 0.25, 0.25], "Test accuracy"),  # all lose as much
        ([0.97, 0.97, 0.96, 0.96], [0.95, 0.9, 0.9, 0.9], "so it leads: test accuracy"),  # level before
    ],
)
def test_least_and_more_are_said_of_no_tie(made, written, released, said):
    found = study.read(["smoke"], ["digits_mlp"])
    t = found.table
    for protocol, four in (("as_written", written), ("as_released", released)):
        for architecture, value in zip(ARCHITECTURES, four, strict=True):
            t.loc[(t.protocol == protocol) & (t.architecture == architecture), "value"] = value
    assert f"{said} as released (n = 1)" in prose.protocols_apart(found, "smoke")


@pytest.mark.parametrize(("which", "sign"), [("lowest", 1), ("highest", -1)])
def test_an_extreme_is_told_of_the_end_and_of_all_evaluations(made, which, sign):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"])
    t, last = found.table, found.table.epoch == found.table.epoch.max()

    def told(mine: int, in_all: int) -> None:
        said = prose.extreme(found, "cross_entropy", "test", which)
        assert said == (
            f"Cross-entropy, test points: binary encoding ends with the {which} mean in {mine} of 1 cases; "
            f"the {which} mean of all evaluations is its own in {in_all}."
        )

    mine, other = (
        (t.metric == "cross_entropy") & (t.architecture == a) for a in ("binary_encoding", "no_penultimate")
    )
    t.loc[t.metric == "cross_entropy", "value"] = 0.5
    told(0, 0)
    t.loc[mine & last, "value"] = 0.5 - 0.1 * sign
    told(1, 1)
    t.loc[other & ~last, "value"] = 0.5 - 0.2 * sign
    told(1, 0)
    alone = study.read(["smoke"], architectures=["no_penultimate"])
    assert prose.extreme(alone, "cross_entropy", "test", which) == ""


def test_the_first_as_released_need_not_lose_least(made):
    found = study.read(["smoke"], ["digits_mlp"])
    t = found.table
    values = {"as_written": [0.99, 0.951, 0.952, 0.953], "as_released": [0.95, 0.949, 0.948, 0.947]}
    for protocol, four in values.items():
        for architecture, value in zip(ARCHITECTURES, four, strict=True):
            t.loc[(t.protocol == protocol) & (t.architecture == architecture), "value"] = value
    assert prose.protocols_apart(found, "smoke").endswith("as written (n = 1), 0.9510 to 0.9900 with all.")


@pytest.mark.parametrize("protocol", ["as_written", "as_released"])
@pytest.mark.parametrize("architecture", ["binary_encoding", "no_penultimate"])
def test_protocols_that_lack_an_architecture_are_not_compared(made, protocol, architecture):
    found = study.read(["smoke"], ["digits_mlp"])
    t = found.table
    rows = t[(t.protocol != protocol) | (t.architecture != architecture)]
    before = prose.protocols_apart(found, "smoke")
    assert before
    assert prose.protocols_apart(dataclasses.replace(found, table=rows), "smoke") == ""
    more = t[(t.protocol == protocol) & (t.architecture == architecture)].assign(architecture="mine")
    assert prose.protocols_apart(dataclasses.replace(found, table=pd.concat([t, more])), "smoke") == before


def test_a_seed_that_not_all_architectures_have_is_not_compared(made):
    found = study.read(["smoke"], ["digits_mlp"])
    t = found.table[found.table.seed == 0]
    alone = t[t.architecture == "binary_encoding"].assign(seed=7, value=0.5)
    said, same = (
        prose.protocols_apart(dataclasses.replace(found, table=rows), "smoke")
        for rows in (t, pd.concat([t, alone]))
    )
    assert said == same
    assert said.startswith("- **As released beside as written** (Digits (MLP) · ")


def test_one_protocol_has_nothing_beside_it(made):
    found = study.read(["smoke"], protocols=["as_written"])
    assert prose.protocols_apart(found, "smoke") == ""
