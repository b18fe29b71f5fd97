"""Where class means and codes lie, out of records: the numbers and the sentences."""

import dataclasses
import itertools

import numpy as np
import pandas as pd
import pytest

from binenc import hypercube, study, tables
from binenc.geometry import equiangularity, off_vertices
from binenc.words import number


def test_geometry_is_of_the_codes_and_class_means_of_each_run(made):
    found = study.read(["smoke"])
    geometry = hypercube.geometry_of(found)
    rows = geometry.set_index(["architecture", "protocol", "experiment", "metric"]).value
    record = made["digits_mlp/as_written/linear_penultimate/seed-0"]
    book = record.arrays["codebook"][-1]  # no test point counts to its first class
    distances = [(a != b).sum() for a, b in itertools.combinations(book[1:], 2)]  # the first has none
    key = "linear_penultimate", "as_written", "digits_mlp"
    assert rows[(*key, "hamming_std")] == pytest.approx(np.std(distances))
    known = (record.arrays[name][1:] for name in ("test_class_means", "test_codebook"))
    assert rows[(*key, "off_vertices")] == off_vertices(*known)
    others = geometry.assign(seed=geometry.seed + 9).query("metric != 'off_vertices'")
    twice = tables.vertices_table(found, pd.concat([geometry, others]))
    assert set(tables.vertices_table(found, geometry).n) == {"1", "2"}
    assert set(twice.n) == {"1 to 2", "2 to 4"}
    table = tables.vertices_table(found, geometry).set_index(["Runs", "Architecture"])
    line = table.loc["Digits (MLP), as written", "Linear penultimate"]
    assert line["Off their vertices"] == number(rows[(*key, "off_vertices")], 4)
    means = record.arrays["test_class_means"][1:]
    assert line["Class means"] == number(equiangularity(means.astype(float)), 4)
    assert line["Random directions"] == number(means.shape[1] ** -0.5, 2)


@pytest.mark.parametrize(("codes", "nearer"), [(2.0, 2), (0.0, 0)])
def test_class_means_are_set_against_the_vertices_that_their_codes_name(made, codes, nearer):
    found = study.read(["smoke"], protocols=["as_written"])
    geometry = hypercube.geometry_of(found)
    off = geometry.metric == "off_vertices"
    geometry.loc[off, "value"] = np.where(geometry.experiment[off] == "digits_mlp", 0.25, 0.5)
    geometry.loc[geometry.metric == "code_equiangularity", "value"] = codes
    said = hypercube.vertices(found, geometry)
    assert f"in {nearer} of 2 cases" in said
    cnn = (geometry.experiment == "digits_cnn") & (geometry.metric == "code_equiangularity")
    geometry.loc[cnn, "value"] = np.nan
    assert f"in {nearer // 2} of 1 cases" in hypercube.vertices(found, geometry)
    geometry.loc[geometry.metric == "off_vertices", "value"] = np.nan
    assert "In no case" in hypercube.vertices(found, geometry)
    assert "by 0.25 to 0.50 of half" in said


@pytest.mark.parametrize(("off", "cause"), [(0.5, "comes with Adam"), (0.3, "has another cause")])
def test_what_makes_the_codes_is_told_by_what_is_left_of_them_without_adam(made, off, cause):
    found = study.read(["smoke"], protocols=["as_written"], architectures=["binary_encoding"])
    changes = ("", ",classifier_sgd=0.05", ",gamma=1")
    found = dataclasses.replace(found, table=repeated(found.table, changes))
    geometry = repeated(hypercube.geometry_of(found), changes)
    geometry.loc[geometry.metric == "rotated", "value"] = 0.6
    sgd, is_off = geometry.experiment.str.contains("sgd"), geometry.metric == "off_vertices"
    geometry.loc[is_off, "value"] = np.where(sgd[is_off], off, 0.2)
    sgd, is_share = found.table.experiment.str.contains("sgd"), found.table.metric == "code_share"
    found.table.loc[is_share, "value"] = np.where(sgd[is_share], 0.25, 0.75)
    said = hypercube.axes(found, geometry)
    assert len(said.splitlines()) == 2  # an experiment each
    assert said.startswith("- **What makes the codes** (Digits (")
    mlp, cnn = said.splitlines()  # of two seeds that agree, and of one
    assert "a share of 0.7500 of the training points" in cnn
    assert "a share of 0.7500 ± 0 of the training points" in mlp
    assert "off their vertices by 0.2000 of the half distance (0.6000 if rotated at random)" in cnn
    assert f"these are 0.2500 and {off:.4f} (0.6000), at a loss of " in cnn
    assert f"these are 0.2500 ± 0 and {off:.4f} ± 0 (0.6000 ± 0), at a loss of " in mlp
    assert ("(n = 1)" in cnn, "(n = 2)" in mlp) == (True, True)
    assert said.count(f"most of it {cause}.") == 2
    plain = study.read(["smoke"], architectures=["binary_encoding"])
    assert hypercube.axes(plain, hypercube.geometry_of(plain)) == ""


def repeated(table: pd.DataFrame, changes: tuple[str, ...]) -> pd.DataFrame:
    return pd.concat([table.assign(experiment=table.experiment + c) for c in changes], ignore_index=True)


def test_the_simplex_is_told_of_the_first_case_alone(made):
    found = study.read(["smoke"])
    said = hypercube.simplex_on_a_cube(found, hypercube.geometry_of(found))
    means = made["digits_mlp/as_written/binary_encoding/seed-0"].arrays["test_class_means"][1:]
    other = made["digits_mlp/as_written/binary_encoding/seed-1"].arrays["test_class_means"][1:]
    mean = np.mean([equiangularity(rows.astype(float)) for rows in (means, other)])
    assert f"is {number(mean, 2)} between class means of test points" in said
    assert said.count("\n") == 0


def test_without_binary_encoding_nothing_is_said_of_vertices(made):
    found = study.read(["smoke"], architectures=["no_penultimate"])
    assert "No experiment" in hypercube.vertices(found, hypercube.geometry_of(found))
