"""What puts class means at vertices, and whose axes codes are on: what is said follows the numbers."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from binenc import study
from binenc.text import axes, hypercube

ROTATED = "digits_mlp,classifier_rotated=true"


def repeated(table: pd.DataFrame, changes: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat([table.assign(experiment=table.experiment + c) for c in changes], ignore_index=True)


@pytest.mark.parametrize(
    ("descent", "no_loss", "said"),
    [
        (
            0.5,
            0.5,
            "without the binary loss or without Adam in the classifier most of the alignment is gone, "
            "though most",
        ),
        (0.5, 0.3, "without Adam in the classifier most of the alignment is gone, though most"),
        (0.3, 0.5, "without the binary loss most of the alignment is gone. The"),
        (0.3, 0.3, "most of the alignment is left. The"),
    ],
)
def test_what_puts_class_means_at_vertices_is_what_most_is_gone_without(made, descent, no_loss, said):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"], ["binary_encoding", "linear_penultimate"])
    changes = ("", ",classifier_sgd=0.05", ",gamma=1")
    runs = {n: [*some, *some] for n, some in found.runs.items()}
    found = dataclasses.replace(found, table=repeated(found.table, changes), runs=runs)
    geometry = repeated(hypercube.geometry_of(found).drop_duplicates(), changes)
    geometry.loc[geometry.metric == "rotated", "value"] = 0.6
    linear, is_off = geometry.architecture == "linear_penultimate", geometry.metric == "off_vertices"
    sgd = geometry.experiment.str.contains("sgd")
    geometry.loc[is_off, "value"] = np.select([linear[is_off], sgd[is_off]], [no_loss, descent], 0.2)
    t = found.table
    shares = (t.metric == "code_share") & (t.split == "train")
    t.loc[shares, "value"] = np.where(t.experiment[shares].str.contains("sgd"), 0.55, 0.75)
    (line,) = axes.needed(found, geometry).splitlines()
    assert line.startswith(f"- **What class means at vertices take**: {said}")
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
    sgd, is_off = geometry.experiment.str.contains("sgd"), geometry.metric == "off_vertices"
    geometry.loc[is_off, "value"] = np.where(sgd[is_off], 0.5, 0.2)
    return dataclasses.replace(found, table=repeated(found.table, changes)), geometry


def test_most_points_share_a_code_where_seeds_agree_that_they_do(made):
    found, geometry = binary_alone()
    t = found.table
    shares = t.experiment.str.contains("sgd") & (t.metric == "code_share")
    for low, agree in ((0.42, False), (0.58, True)):
        t.loc[shares, "value"] = t.seed[shares].map({0: low, 1: 0.6})
        assert ("most points share" in axes.needed(found, geometry)) == agree


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
    adam = (geometry.metric == "off_vertices") & ~geometry.experiment.str.contains("sgd")
    geometry.loc[adam, "value"] = off
    assert f"**: {said}. The binary loss by itself" in axes.needed(found, geometry)


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
    geometry = repeated(hypercube.geometry_of(found), changes)
    rotated = geometry.experiment == ROTATED
    for metric, (first, second) in {
        "off_vertices": (plain, own),
        "off_seen": (plain, seen),
        "rotated": (0.6, 0.6),
    }.items():
        mine = geometry.metric == metric
        geometry.loc[mine, "value"] = np.where(rotated[mine], second, first)
    found = dataclasses.replace(found, table=repeated(found.table, changes))
    t = found.table
    for metric, values in {
        "code_share": (0.5, 0.75),
        "accuracy": (0.9, 0.8),
    }.items():
        mine = (t.metric == metric) & (t.split == axes.BESIDE[metric])
        t.loc[mine, "value"] = np.where(t.experiment[mine] == ROTATED, *values)
    (line,) = axes.whose(found, geometry).splitlines()
    assert line.startswith(f"- **Whose axes the codes are on**: {said}. A random rotation")
    assert "nothing): *Digits (MLP), as written · profile smoke, trained afresh*: by " in line
    if not np.isnan(own):
        assert f": by {own:.4f} ± 0 and {seen:.4f} ± 0 (rotated at random 0.6000 ± 0, wi" in line
    assert f", without the rotation {plain:.4f} ± 0); with and without it the whole-code share " in line
    assert "share is 0.5000 ± 0 and 0.7500 ± 0, the test accuracy 0.9000 ± 0 and 0.8000 ± 0 (n = 2)" in line


def test_cases_in_which_the_codes_are_on_other_axes_are_counted(made):
    found = study.read(["smoke"], ["digits_mlp"], architectures=["binary_encoding"])
    changes = ("", ",classifier_rotated=true")
    geometry = repeated(hypercube.geometry_of(found), changes)
    known = {"off_vertices": 0.2, "off_seen": 0.6, "rotated": 0.6}
    geometry["value"] = geometry.metric.map(known).fillna(geometry.value)
    released = (geometry.experiment == ROTATED) & (geometry.protocol == "as_released")
    turned = {"off_vertices": 0.6, "off_seen": 0.2}
    geometry.loc[released, "value"] = geometry.metric[released].map(turned).fillna(geometry.value[released])
    found = dataclasses.replace(found, table=repeated(found.table, changes))
    said = axes.whose(found, geometry)
    assert ": the latents' (1 of 2 cases); the classifier's (1 of 2 cases). A random" in said


def test_nothing_is_said_of_whose_axes_without_both_runs(made):
    plain = study.read(["smoke"], architectures=["binary_encoding"])
    geometry = hypercube.geometry_of(plain)
    assert axes.whose(plain, geometry) == ""
    rotated = geometry[geometry.experiment == "digits_mlp"].assign(experiment=ROTATED)
    table = plain.table[plain.table.experiment == "digits_mlp"].assign(experiment=ROTATED)
    assert axes.whose(dataclasses.replace(plain, table=table), rotated) == ""
