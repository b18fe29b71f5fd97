"""Where class means and codes lie, out of records: the numbers and the sentences."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest
from drawn import drawn
from scipy.linalg import hadamard
from scipy.stats import ortho_group

from binenc import records, study
from binenc.geometry import equiangularity, off_vertices
from binenc.profile import Profile
from binenc.text import hypercube, tables
from binenc.text.words import number


def test_geometry_is_of_the_codes_and_class_means_of_each_run(made):
    found = study.read(["smoke"])
    geometry = hypercube.geometry_of(found)
    rows = geometry.set_index(["architecture", "protocol", "experiment", "metric"]).value
    record = made["digits_mlp/as_written/linear_penultimate/seed-0"]
    book = record.arrays["codebook"][-1]  # no test point counts to its first class
    distances = [(a != b).sum() for a, b in itertools.combinations(book[1:], 2)]  # the first has none
    key = "linear_penultimate", "as_written", "digits_mlp"
    assert rows[(*key, "hamming_std")] == pytest.approx(np.std(distances))
    means, known_book = (record.arrays[name][1:] for name in ("test_class_means", "test_codebook"))
    assert rows[(*key, "off_vertices")] == off_vertices(means, known_book)
    others = geometry.assign(seed=geometry.seed + 9).query("metric != 'off_vertices'")
    twice = tables.vertices_table(found, pd.concat([geometry, others]))
    assert set(tables.vertices_table(found, geometry).n) == {"1", "2"}
    assert set(twice.n) == {"1 to 2", "2 to 4"}
    table = tables.vertices_table(found, geometry).set_index(["Runs", "Architecture"])
    line = table.loc["Digits (MLP), as written", "Linear penultimate"]
    assert line["Off their vertices"] == number(rows[(*key, "off_vertices")], 4)
    assert line["Class means"] == number(equiangularity(means.astype(float)), 4)
    assert line["Codes"] == number(equiangularity(known_book.astype(float)), 4)
    assert line["Random directions"] == number(means.shape[1] ** -0.5, 2)


@pytest.mark.parametrize(("codes", "nearer"), [(2.0, 2), (0.0, 0)])
def test_class_means_are_set_against_the_vertices_that_their_codes_name(made, codes, nearer):
    found = study.read(["smoke"], protocols=["as_written"])
    geometry = hypercube.geometry_of(found)
    off = geometry.metric == "off_vertices"
    geometry.loc[off, "value"] = np.where(geometry.experiment[off] == "digits_mlp", 0.25, 0.5)
    geometry.loc[geometry.metric == "code_equiangularity", "value"] = codes
    said = hypercube.vertices(geometry)
    assert f"in {nearer} of 2 cases" in said
    cnn = (geometry.experiment == "digits_cnn") & (geometry.metric == "code_equiangularity")
    geometry.loc[cnn, "value"] = np.nan
    assert f"in {nearer // 2} of 1 cases" in hypercube.vertices(geometry)
    geometry.loc[geometry.metric == "off_vertices", "value"] = np.nan
    assert "No experiment" in hypercube.vertices(geometry)
    assert "by 0.25 to 0.50 of half" in said


def test_each_number_of_the_cases_has_its_place(made):
    found = study.read(["smoke"], protocols=["as_written"])
    geometry = hypercube.geometry_of(found)
    known = {"d": (4, 16), "means_equiangularity": (0.1, 0.3), "code_equiangularity": (0.2, 0.6)}
    for metric, (mlp, cnn) in (known | {"off_vertices": (0.25, 0.5), "rotated": (0.8, 0.9)}).items():
        mine = geometry.metric == metric
        geometry.loc[mine, "value"] = np.where(geometry.experiment[mine] == "digits_mlp", mlp, cnn)
    said = hypercube.vertices(geometry)
    assert "is 0.10 to 0.30 for class means and 0.20 to 0.60 for their codes, 0.40 to 2.4 times that" in said
    assert "off their vertices by 0.25 to 0.50 of half" in said


def test_two_groups_of_values_are_told_from_two_values(made):
    found = study.read(["smoke"], protocols=["as_written"])
    geometry = hypercube.geometry_of(found)
    for metric, (mlp, cnn) in {"off_vertices": (0.25, 0.5), "within": (0.125, 0.75)}.items():
        mine = geometry.metric == metric
        geometry.loc[mine, "value"] = np.where(geometry.experiment[mine] == "digits_mlp", mlp, cnn)
    said = hypercube.two_groups(geometry)
    assert "of their group by 0.25 to 0.50 of half the distance between the groups, training points " in said
    assert "off their class mean by 0.12 to 0.75 of it. In 1 of 2 cases the first is larger" in said
    geometry.loc[geometry.metric == "within", "value"] = np.nan
    none = "No experiment here has records of binary encoding in which both bits occur."
    assert hypercube.two_groups(geometry) == none
    assert hypercube.two_groups(geometry[geometry.architecture != "binary_encoding"]) == none


@pytest.mark.parametrize(("within", "groups"), [(0.125, True), (0.5, False)])
def test_the_first_case_has_groups_where_classes_are_farther_apart_than_their_points(made, within, groups):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"])
    geometry = hypercube.geometry_of(found)
    for metric, value in {"off_vertices": 0.25, "within": within}.items():
        geometry.loc[geometry.metric == metric, "value"] = value
    said = hypercube.simplex_on_a_cube(found, geometry)
    assert (
        "Each class has a value of its own in each latent, not one of two: class means are" in said
    ) is groups
    assert "name by 0.25, in units of half the distance between a latent's two groups of values, tr" in said
    assert f"training points off their class mean by {within:.2f}." in said


def test_the_simplex_is_told_of_the_first_case_alone(made):
    found = study.read(["smoke"])
    said = hypercube.simplex_on_a_cube(found, hypercube.geometry_of(found))
    means = made["digits_mlp/as_written/binary_encoding/seed-0"].arrays["test_class_means"][1:]
    other = made["digits_mlp/as_written/binary_encoding/seed-1"].arrays["test_class_means"][1:]
    mean = np.mean([equiangularity(rows.astype(float)) for rows in (means, other)])
    assert f"is {number(mean, 2)} between class means of test points" in said
    assert said.count("\n") == 0
    means = made["digits_mlp/as_written/linear_penultimate/seed-0"].arrays["test_class_means"][1:]
    mean = equiangularity(means.astype(float))
    assert f"directions. With a linear penultimate layer that of class means is {number(mean, 2)}. " in said


@pytest.mark.parametrize(
    ("means", "codes", "apart"), [(0.1, 0.3, True), (0.2, 0.3, False), (0.1, 0.2, False)]
)
def test_vertices_that_are_no_simplex_are_told_where_class_means_are_near_one(made, means, codes, apart):
    found = study.read(["smoke"], ["digits_mlp"], ["as_written"])
    geometry = hypercube.geometry_of(found)
    known = {"d": 4, "means_equiangularity": means, "code_equiangularity": codes}
    for metric, value in (known | {"off_vertices": 0.7, "rotated": 0.9}).items():
        geometry.loc[geometry.metric == metric, "value"] = value
    said = hypercube.simplex_on_a_cube(found, geometry)
    assert f"is {means:.2f} between class means of test points, {codes:.2f} between their codes, " in said
    assert "codes, 0.50 between random directions" in said
    assert "name by 0.70, in units of half" in said
    assert ("no test). Class means are near a simplex; the vertices" in said) == apart


def test_without_binary_encoding_nothing_is_said_of_vertices(made):
    found = study.read(["smoke"], architectures=["no_penultimate"])
    assert "No experiment" in hypercube.vertices(hypercube.geometry_of(found))


def test_a_hypercube_that_the_classifier_sees_rotated(results):
    """Class means and points with the signs of vertices, that a known rotation takes from their axes."""
    rotation, rotated = ortho_group.rvs(4, random_state=7), "digits_mlp,classifier_rotated=true"
    cube = np.where(hadamard(4)[:, [1, 2, 3, 1]] > 0, 1.0, -1.0)
    points = np.repeat(cube, 5, axis=0) * np.random.default_rng(0).uniform(0.1, 3, (20, 4))
    labels = np.repeat(np.arange(4), 5)
    for name in ("digits_mlp", rotated):
        run = (quick := Profile.read("quick")).run(name, "as_written", "binary_encoding", 0)
        record = drawn(run)
        means, n = cube @ rotation, len(record.arrays["epoch"])
        kept = {"test_class_count": np.full(4, 5), "test_class_means": means, "test_codebook": means > 0}
        kept |= {"sample_latents": np.stack([points @ rotation] * n), "sample_labels": np.stack([labels] * n)}
        kept |= {"codebook": np.stack([cube > 0] * n)}
        kept |= {"rotation": rotation} if name == rotated else {}
        records.save(dataclasses.replace(record, arrays=record.arrays | kept), records.folder(quick, run))
    geometry = hypercube.geometry_of(study.read(["quick"], ["digits_mlp", rotated]))
    found = geometry.pivot(index="experiment", columns="metric", values="value")
    assert found.off_seen[rotated] == pytest.approx(0, abs=1e-7)
    assert found.off_own[rotated] > 0.3
    assert found.off_seen["digits_mlp"] == found.off_own["digits_mlp"] == found.off_own[rotated]
    assert found.share_seen[rotated] == 1

    def share(codes: np.ndarray) -> float:
        by_label = [codes[labels == c] for c in range(4)]
        most = (max(sum((row == other).all() for other in rows) for row in rows) for rows in by_label)
        return sum(most) / 20

    latents = points @ rotation
    assert found.share_own[rotated] == found.share_seen["digits_mlp"] == share(latents > 0) < 1
    turns = ortho_group.rvs(4, size=hypercube.TURNS, random_state=0)
    random = np.mean([share(latents.astype(np.float16) @ turn > 0) for turn in turns])
    assert found.share_rotated[rotated] == pytest.approx(random) != found.share_own[rotated]
    assert np.isnan(found.share_rotated["digits_mlp"])
