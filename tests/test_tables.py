"""Tables of numbers out of records."""

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest
from drawn import CLASSES, DIMENSIONS

from binenc import records, study
from binenc.geometry import equiangularity, off_vertices, rotated_off_vertices
from binenc.profile import ARCHITECTURES
from binenc.protocol import AS_RELEASED, AS_WRITTEN
from binenc.text import hypercube, tables
from binenc.text.prose import parameter_sentence
from binenc.text.words import METRICS, number, plus_minus


def test_final_table(made):
    rows = [("accuracy", "test"), ("accuracy", "train"), ("nc4", "train")]
    table = tables.final_table(study.read(["smoke"]), rows)
    assert len(table) == 3 * 3
    assert table.Metric.tolist()[:3] == ["Accuracy, test", "Accuracy, train", METRICS["nc4"].title]
    first = table.iloc[0]
    assert (first.Runs, first.n) == ("Digits (MLP), as written", "1 to 2")
    values = [
        made[f"digits_mlp/as_written/binary_encoding/seed-{s}"].final("accuracy", "test") for s in (0, 1)
    ]
    assert first["Binary encoding"] == plus_minus(np.mean(values), np.std(values, ddof=1), 2)
    alone = made["digits_mlp/as_written/no_penultimate/seed-0"].final("accuracy", "test")
    assert first["No penultimate"] == number(alone, 4)
    assert table[table.Runs == "Digits (CNN), as written"]["No penultimate"].eq("").all()


def test_records_older_than_a_metric_are_left_out(made, smoke):
    found, record = study.read(["smoke"]), made[smoke.all_runs()[0].id]
    t = found.table
    found = dataclasses.replace(found, table=t[(t.metric != "nc4") | (t.experiment != "digits_cnn")])
    for table in (tables.final_table(found, [("nc4", "train")]), tables.course_table(found, ["nc4"])):
        assert table.Runs.tolist() == ["Digits (MLP), as written", "Digits (MLP), as released"]
    older = dataclasses.replace(record, history=record.history[record.history.metric != "nc4"])
    lacks = set(tables.run_table(record).Metric) - set(tables.run_table(older).Metric)
    assert lacks == {METRICS["nc4"].title}


@pytest.mark.parametrize(
    ("means", "said"),
    [
        ([1.0, 2.0, 3.0], "1 → 3"),
        ([1.0, 9.0, 3.0], "1 → 9 (epoch 5) → 3"),
        ([3.0, 0.5, 2.0], "3 → 0.500 (epoch 5) → 2"),
        ([1.0, 3.05, 3.0], "1 → 3"),
        ([2.0, 2.0, 2.0], "2 → 2"),
        ([2.0], "2 → 2"),
        ([], ""),
        ([math.nan, 2.0, 1.0, 3.0], "2 (epoch 5) → 1 (epoch 10) → 3"),
        ([1.0, 3.0, 2.0, math.nan], "1 → 3 (epoch 5) → not defined"),
        ([math.nan, math.nan], "not defined"),
    ],
)
def test_course(means, said):
    curve = pd.DataFrame({"epoch": [5 * i for i in range(len(means))], "mean": means})
    assert tables._course(curve) == said


def test_course_table_has_a_row_a_metric_and_case(made):
    table = tables.course_table(study.read(["smoke"]), ["std", "gain"])
    assert len(table) == 2 * 3
    record = made["digits_cnn/as_written/binary_encoding/seed-0"].history
    values = record[(record.metric == "gain") & (record.split == "train")].value.tolist()
    shown = table[(table.Runs == "Digits (CNN), as written") & (table.Metric == METRICS["gain"].title)][
        "Binary encoding"
    ].item()
    assert shown == f"{number(values[0])} → {number(values[-1])}"


def test_simplex_table_uses_the_dimension_of_the_latents(made, smoke):
    run = smoke.run("digits_mlp", "as_written", "no_penultimate", 0)
    wide = made[run.id].arrays | {"codebook": np.repeat(made[run.id].arrays["codebook"], 9, axis=2)}
    records.save(dataclasses.replace(made[run.id], arrays=wide), records.folder(smoke, run))
    table = tables.simplex_table(found := study.read(["smoke"]), hypercube.geometry_of(found))
    part = table[table.Runs == "Digits (MLP), as written"]
    assert part.Architecture.tolist() == list(ARCHITECTURES.values())
    assert part.d.tolist() == [DIMENSIONS] * 3 + [9 * DIMENSIONS]
    assert part["Bound, minimum"].iloc[-1] == number(9 * DIMENSIONS / 2 * CLASSES / (CLASSES - 1))


def test_axes_table_is_of_the_geometry_and_of_what_is_recorded(made):
    found = study.read(["smoke"], architectures=["binary_encoding"], seeds=[0], protocols=["as_written"])
    geometry = hypercube.geometry_of(found)
    line = tables.axes_table(found, geometry).set_index("Runs").loc["Digits (MLP), as written"]
    record = made["digits_mlp/as_written/binary_encoding/seed-0"]
    means = record.arrays["test_class_means"][1:]
    assert line["Rotated at random"] == number(rotated_off_vertices(means), 4)
    assert line["As the classifier sees them"] == ""
    assert line["Off their vertices"] == number(off_vertices(means, means > 0), 4)
    assert line["Whole-code share"] == number(record.final("code_share", "train"), 4)
    assert line["Gain"] == number(record.final("gain", "train"), 4)
    assert line["Tr(Sw Sb⁺)/C"] == number(record.final("tr_sw_sb", "train"), 4)
    assert line["Loss, training"] == number(record.final("loss", "train"), 4)
    assert line["Accuracy, test"] == number(record.final("accuracy", "test"), 4)
    assert "Architecture" not in line
    both = study.read(["smoke"], architectures=["binary_encoding", "linear_penultimate"], seeds=[0])
    assert tables.axes_table(both, hypercube.geometry_of(both)).Architecture.nunique() == 2


def test_protocol_table_says_every_field_as_its_protocols_have_it():
    table = tables.protocol_table().set_index("Field")
    assert table.index.tolist() == list(AS_WRITTEN.model_dump())
    for name in AS_WRITTEN.model_dump():
        row = table.loc[name]
        assert row["As written"] == str(getattr(AS_WRITTEN, name)).lower()
        assert row["As released"] == str(getattr(AS_RELEASED, name)).lower()
        assert len(row["What it decides"]) > 20


def test_parameter_table_and_its_sentence(made, smoke):
    found = study.read(["smoke"])
    table = tables.parameter_table(found)
    assert table["First three equal"].tolist() == ["yes", "yes", "–"]
    assert "in 2 of 2 cases" in parameter_sentence(table)
    run = smoke.run("digits_mlp", "as_written", "linear_penultimate", 0)
    other = made[run.id]
    records.save(
        records.Record(other.run | {"n_parameters": 11}, other.history, other.arrays),
        records.folder(smoke, run),
    )
    table = tables.parameter_table(study.read(["smoke"]))
    assert sorted(table["First three equal"]) == ["no", "yes", "–"]
    assert "in 1 of 2 cases" in parameter_sentence(table)
    assert "No experiment" in parameter_sentence(table[table["First three equal"] == "–"])


def test_parameters_are_those_of_each_architecture(made, smoke):
    counts = dict(zip(ARCHITECTURES, (9, 1234, 56_789, 1_234_567), strict=True))
    for run in smoke.all_runs():
        record, n = made[run.id], counts[run.architecture]
        other = dataclasses.replace(record, run=record.run | {"n_parameters": n})
        records.save(other, records.folder(smoke, run))
    table = tables.parameter_table(study.read(["smoke"])).set_index("Runs")[list(ARCHITECTURES.values())]
    assert table.loc["Digits (MLP), as written"].tolist() == ["9", "1 234", "56 789", "1 234 567"]
    assert table.loc["Digits (CNN), as written"].tolist() == ["9", "", "", ""]


def test_settings_and_run_table(made, smoke):
    table = tables.settings_table(study.read(["smoke"]))
    assert table["d"].tolist() == [8, 8]
    record = made[smoke.all_runs()[0].id]
    shown = tables.run_table(record)
    assert len(shown) == len(METRICS)
    assert shown.Test[0] == number(record.final(next(iter(METRICS)), "test"), 4)


def test_settings_are_those_of_the_profile(made, smoke):
    table = tables.settings_table(study.read(["smoke"]))
    e = smoke.experiments["digits_cnn"]
    assert table.iloc[1].tolist() == [
        *("Digits (CNN)", "CNN", e.width, e.penultimate, "8, 8, 16, 16, 32", e.dropout_rate, e.batch_size),
        *("0.001", e.halve_every, "10", e.epochs, e.evaluate_every),
    ]


def test_run_table_has_both_splits(made, smoke):
    record = made[smoke.all_runs()[0].id]
    shown = tables.run_table(record)
    peak = shown.set_index("Metric").loc["Std of a peak"]
    assert (peak.Unit, peak.Better) == ("latent units", "lower")
    for split in ("train", "test"):
        assert shown[split.capitalize()].tolist() == [number(record.final(m, split), 4) for m in METRICS]


def test_simplex_table_by_its_records(made):
    found = study.read(["smoke"])
    geometry = hypercube.geometry_of(found)
    line = (
        tables.simplex_table(found, geometry)
        .set_index(["Runs", "Architecture"])
        .loc["Digits (MLP), as written", "Linear penultimate"]
    )
    record = made["digits_mlp/as_written/linear_penultimate/seed-0"]
    titles = {"distinct_codebook_rows": "Distinct rows", "hamming_mean": "Mean", "hamming_min": "Minimum"}
    assert all(line[title] == number(record.final(m, "train"), 4) for m, title in titles.items())
    book = record.arrays["test_codebook"][1:].astype(float)
    rows = geometry.set_index(["architecture", "protocol", "experiment", "metric"]).value
    assert rows["linear_penultimate", "as_written", "digits_mlp", "code_equiangularity"] == equiangularity(
        book
    )
