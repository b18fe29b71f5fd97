"""What puts class means at vertices, and whose axes codes are on: what is said follows the numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from binenc import study
from binenc.text import axes, hypercube
from binenc.text.words import number

ROTATED = "digits_mlp,classifier_rotated=true"


def repeated(table: pd.DataFrame, changes: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat([table.assign(experiment=table.experiment + c) for c in changes], ignore_index=True)


@pytest.mark.parametrize(
    ("descent", "no_loss", "said"),
    [
        (
            0.5,
            0.5,
            "without the binary loss or without Adam in the classifier most of the alignment is gone. ",
        ),
        (0.5, 0.3, "without Adam in the classifier most of the alignment is gone. Al"),
        (0.3, 0.5, "without the binary loss most of the alignment is gone. Al"),
        (0.3, 0.3, "most of the alignment is left. Al"),
    ],
)
def test_what_puts_class_means_at_vertices_is_what_most_is_gone_without(made, descent, no_loss, said):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding", "linear_penultimate"])
    changes = ("", ",classifier_sgd=0.05", ",gamma=1")
    runs = {n: [*some, *some] for n, some in found.runs.items()}
    found = dataclasses.replace(found, table=repeated(found.table, changes), runs=runs)
    geometry = repeated(hypercube.geometry_of(found).drop_duplicates(), changes)
    geometry.loc[geometry.metric == "rotated", "value"] = 0.6
    linear, is_off = geometry.architecture == "linear_penultimate", geometry.metric == "off_own"
    sgd = geometry.experiment.str.contains("sgd")
    geometry.loc[is_off, "value"] = np.select([linear[is_off], sgd[is_off]], [no_loss, descent], 0.2)
    (line,) = axes.needed(found, geometry).splitlines()
    assert line.startswith(f"- **What it takes to put class means at vertices**: {said}")
    assert (
        "and with Adam but without the binary loss (linear penultimate): *Digits (MLP), as written · " in line
    )
    assert f"*: by 0.2000 ± 0, by {descent:.4f} ± 0, by {no_loss:.4f} (rotated at random 0.6000 ± 0" in line
    assert line.endswith("0.6000 ± 0; n = 2).")


def binary_alone() -> tuple[study.Study, pd.DataFrame]:
    """Binary encoding with Adam and by gradient descent, where most of the alignment is gone."""
    changes = ("", ",classifier_sgd=0.05")
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    geometry = repeated(hypercube.geometry_of(found), changes)
    geometry.loc[geometry.metric == "rotated", "value"] = 0.6
    sgd, is_off = geometry.experiment.str.contains("sgd"), geometry.metric == "off_own"
    geometry.loc[is_off, "value"] = np.where(sgd[is_off], 0.5, 0.2)
    return dataclasses.replace(found, table=repeated(found.table, changes)), geometry


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (0.6, "class means are no nearer to vertices than rotated at random"),
        (0.7, "class means are no nearer to vertices than rotated at random"),
        (np.nan, "how far class means are from vertices is not defined in some seed"),
    ],
)
def test_what_is_not_aligned_has_no_alignment_to_lose(made, off, said):
    found, geometry = binary_alone()
    adam = (geometry.metric == "off_own") & ~geometry.experiment.str.contains("sgd")
    geometry.loc[adam, "value"] = off
    assert f"**: {said}. Alignment is how much" in axes.needed(found, geometry)


def test_nothing_is_said_of_axes_without_a_record_of_gradient_descent(made):
    plain = study.read(["smoke"], architectures=["binary_encoding"])
    assert axes.needed(plain, hypercube.geometry_of(plain)) == ""


def test_nothing_is_said_of_axes_where_the_run_with_gradient_descent_is_not_there_yet(made):
    found, geometry = binary_alone()
    without = ~(geometry.experiment.str.contains("sgd") & (geometry.architecture == "binary_encoding"))
    linear = geometry[geometry.experiment.str.contains("sgd")].assign(architecture="linear_penultimate")
    assert axes.needed(found, pd.concat([geometry[without], linear])) == ""


def test_without_a_linear_penultimate_layer_adam_is_judged_alone(made):
    said = axes.needed(*binary_alone())
    assert "linear penultimate" not in said
    assert "**: without Adam in the classifier most of the alignment is gone" in said


@pytest.mark.parametrize(
    ("plain", "own", "seen", "said"),
    [
        (0.2, 0.6, 0.3, "the classifier's"),
        (0.2, 0.3, 0.41, "the latents'"),
        (0.2, 0.3, 0.3, "the latents' and the classifier's"),
        (0.2, 0.5, 0.5, "neither's"),
        (0.6, 0.1, 0.1, "class means are no nearer to vertices than rotated at random"),
        (0.2, np.nan, 0.3, "how far class means are from vertices is not defined in some seed"),
    ],
)
def test_whose_axes_the_codes_are_on(made, plain, own, seen, said):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    changes = ("", ",classifier_rotated=true")
    geometry = hypercube.geometry_of(found)
    more = geometry[geometry.metric == "share_own"].assign(metric="share_rotated")
    geometry = repeated(pd.concat([geometry, more]), changes)
    rotated = geometry.experiment == ROTATED
    known = {"off_own": (plain, own), "off_seen": (plain, seen), "rotated": (0.6, 0.6)}
    known |= {"share_own": (0.95, 0.4), "share_seen": (0.95, 0.9), "share_rotated": (0, 0.3)}
    for metric, values in known.items():
        mine = geometry.metric == metric
        geometry.loc[mine, "value"] = np.where(rotated[mine], *values[::-1])
    found = dataclasses.replace(found, table=repeated(found.table, changes))
    t = found.table
    for metric, values in {"accuracy": (0.7, 0.8), "tr_sw_sb": (0.25, 0.125)}.items():
        mine = (t.metric == metric) & (t.split == axes.BESIDE[metric])
        t.loc[mine, "value"] = np.where(t.experiment[mine] == ROTATED, *values)
    (line,) = axes.whose(found, geometry).splitlines()
    assert line.startswith(
        f"- **Whose axes the codes are on** (at least half of the alignment): {said}. A random rotation"
    )
    assert "*Digits (MLP), as written · profile smoke, trained afresh*: class means are off by " in line
    if not np.isnan(own):
        assert f"off by {own:.4f} ± 0 on the axes of the latents (rotated at random 0.6000 ± 0) " in line
    assert (
        f"and by {seen:.4f} ± 0 on those that the classifier sees (without the rotation {plain:.4f}" in line
    )
    if plain < 0.6 and not np.isnan(own):
        left = " and ".join(number((0.6 - off) / (0.6 - plain), 2) for off in (own, seen))
        assert f"), which leaves {left} of the alignment. On" in line
    else:
        assert "leaves" not in line
    assert (
        ". On these axes 0.4000 ± 0 and 0.9000 ± 0 of a sample of test points have the most common code of "
        "their label (on random axes 0.3000 ± 0, without the rotation 0.9500 ± 0). With and" in line
    )
    assert (
        "test accuracy is 0.7000 ± 0 and 0.8000 ± 0, Tr(Sw Sb⁺)/C 0.2500 ± 0 and 0.1250 ± 0 (n = 2)" in line
    )


def test_cases_in_which_the_codes_are_on_other_axes_are_counted(made):
    found = study.read(["smoke"], ["digits_mlp"], architectures=["binary_encoding"])
    changes = ("", ",classifier_rotated=true")
    geometry = repeated(hypercube.geometry_of(found), changes)
    known = {"off_own": 0.2, "off_seen": 0.6, "rotated": 0.6}
    geometry["value"] = geometry.metric.map(known).fillna(geometry.value)
    released = (geometry.experiment == ROTATED) & (geometry.protocol == "as_released")
    turned = {"off_own": 0.6, "off_seen": 0.2}
    geometry.loc[released, "value"] = geometry.metric[released].map(turned).fillna(geometry.value[released])
    found = dataclasses.replace(found, table=repeated(found.table, changes))
    said = axes.whose(found, geometry)
    assert ": the latents' (1 of 2 cases); the classifier's (1 of 2 cases). A random" in said
    assert said.count("class means are off by") == 2
    first = axes.whose(found, geometry, 1)
    assert "(1 of 2 cases). A random" in first
    assert said.startswith(first)


def with_forms(found, forms: tuple[str, ...]) -> tuple[study.Study, pd.DataFrame]:
    """The study, and its geometry, with the same runs under other forms of the loss, too."""
    geometry, table = (
        pd.concat([t, *(t.assign(protocol=t.protocol + f",loss_bin={form}") for form in forms)])
        for t in (hypercube.geometry_of(found), found.table)
    )
    return dataclasses.replace(found, table=table.reset_index(drop=True)), geometry.reset_index(drop=True)


def test_what_is_left_with_other_forms_of_the_loss(made):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    found, geometry = with_forms(found, ("mean_of_exp", "exp_of_norm", "mean_square"))
    for t, metric, values in (
        (geometry, "rotated", (0.6, 0.6, 0.6, 0.6)),
        (geometry, "off_own", (0.2, 0.25, 0.45, 0.39)),
        (found.table, "code_share", (0.5, 0.6, 0.7, 0.8)),
        (found.table, "accuracy", (0.1, 0.2, 0.3, 0.4)),
    ):
        mine = t.metric == metric
        t.loc[mine, "value"] = t.protocol[mine].map(dict(zip(t.protocol.unique(), values, strict=True)))
    (line,) = axes.forms(found, geometry).splitlines()
    assert line.startswith(
        "- **Other forms of the binary loss**: most of the alignment is left with `mean_of_exp`, "
        "`mean_square`; most of the alignment is gone with `exp_of_norm`. Alignment is"
    )
    assert (
        "*Digits (MLP), as written · profile smoke, trained afresh*, with `exp_of_mean`, `mean_of_exp`, "
        "`exp_of_norm`, `mean_square` in turn: class means are off by 0.2000 ± 0, 0.2500 ± 0, 0.4500 ± 0, "
        "0.3900 ± 0 (rotated at random 0.6000 ± 0); the share of the training points with the most common "
        "code of their class is 0.5000 ± 0, 0.6000 ± 0, 0.7000 ± 0, 0.8000 ± 0; the test accuracy "
        "0.1000 ± 0, 0.2000 ± 0, 0.3000 ± 0, 0.4000 ± 0 (n = 2)."
    ) in line


@pytest.mark.parametrize(
    ("off", "rotated", "said"),
    [
        ((0.2, 0.39), 0.6, "most of the alignment is left"),
        ((0.2, 0.41), 0.6, "most of the alignment is gone"),
        ((0.2, np.nan), 0.6, "how far class means are from vertices is not defined in some seed"),
    ],
)
def test_whether_most_of_the_alignment_is_left(made, off, rotated, said):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    found, geometry = with_forms(found, ("mean_square",))
    again = found.table.assign(protocol=found.table.protocol.str.replace("written", "released"))
    found = dataclasses.replace(found, table=pd.concat([found.table, again], ignore_index=True))
    again = geometry.assign(protocol=geometry.protocol.str.replace("written", "released"))
    geometry = pd.concat([geometry, again], ignore_index=True)
    geometry.loc[geometry.metric == "rotated", "value"] = rotated
    square, mine = geometry.protocol.str.contains("mean_square"), geometry.metric == "off_own"
    geometry.loc[mine, "value"] = np.where(square[mine], *off[::-1])
    both = axes.forms(found, geometry)
    assert f"**: {said} with `mean_square` (2 of 2 cases). Al" in both
    assert axes.forms(found, geometry, 1) == both[: both.index(" *Digits (MLP), as released")]
    t = found.table
    few = t[(t.protocol != "as_released,loss_bin=mean_square") | (t.seed == 0)]
    assert f"**: {said} with `mean_square`. Al" in axes.forms(dataclasses.replace(found, table=few), geometry)


@pytest.mark.parametrize(
    ("off", "said"), [(0.7, "class means are no nearer to vertices"), (np.nan, "how far class means are")]
)
def test_where_there_is_no_alignment_nothing_is_said_of_other_forms(made, off, said):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    found, geometry = with_forms(found, ("mean_square",))
    geometry.loc[geometry.metric == "rotated", "value"] = 0.6
    plain, mine = geometry.protocol == "as_written", geometry.metric == "off_own"
    geometry.loc[mine, "value"] = np.where(plain[mine], off, 0.2)
    line = axes.forms(found, geometry)
    head = line[: line.index("Alignment is")]
    assert f"**: {said}" in head
    assert head.endswith("with `exp_of_mean`. ")


def test_nothing_is_said_of_a_form_of_the_loss_that_has_no_run_to_compare(made):
    found = study.read(["smoke"], architectures=["binary_encoding"])
    geometry = hypercube.geometry_of(found)
    assert axes.forms(found, geometry) == ""
    alone = "as_written,loss_bin=mean_square"
    found = dataclasses.replace(found, table=found.table.assign(protocol=alone))
    assert axes.forms(found, geometry.assign(protocol=alone)) == ""


def test_nothing_is_said_of_whose_axes_without_both_runs(made):
    plain = study.read(["smoke"], architectures=["binary_encoding"])
    geometry = hypercube.geometry_of(plain)
    assert axes.whose(plain, geometry) == ""
    rotated = geometry[geometry.experiment == "digits_mlp"].assign(experiment=ROTATED)
    table = plain.table[plain.table.experiment == "digits_mlp"].assign(experiment=ROTATED)
    assert axes.whose(dataclasses.replace(plain, table=table), rotated) == ""


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (",classifier_rotated=true", True),
        (",classifier_rotated=false", False),
        (",gamma=1,classifier_rotated=true", False),
        (",classifier_sgd=0.05", True),
        (",classifier_sgd=0.0", False),
    ],
)
def test_only_a_change_that_changes_something_is_told_beside_what_else_is_the_same(made, change, told):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    changes = ("", change)
    geometry = repeated(hypercube.geometry_of(found), changes)
    found = dataclasses.replace(found, table=repeated(found.table, changes))
    assert bool(axes.whose(found, geometry) or axes.needed(found, geometry)) is told


def test_a_loss_that_tells_axes_apart_is_another_question(made):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding"])
    changes = ("", ",classifier_rotated=true")
    protocol = "as_written,loss_bin=mean_of_exp"
    geometry = repeated(hypercube.geometry_of(found), changes).assign(protocol=protocol)
    table = repeated(found.table, changes).assign(protocol=protocol)
    assert axes.whose(dataclasses.replace(found, table=table), geometry) == ""
