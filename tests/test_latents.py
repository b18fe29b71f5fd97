"""Latents drawn: histograms and planes show the points of the records."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn import DIMENSIONS, POINTS, drawn, options

from binenc import figures, records, study
from binenc.figures import latents
from binenc.profile import Profile


@pytest.mark.parametrize(
    ("epochs", "places"),
    [
        ([0, 5, 10, 20, 40, 100], [0, 1, 3, 5]),
        ([0, 5], [0, 1]),
        ([0], [0]),
        ([0, 1], [0, 1]),
        ([0, 30, 100], [0, 1, 2]),
    ],
)
def test_snapshots_nearest_to_those_wanted(smoke, epochs, places):
    record = drawn(smoke.all_runs()[0])
    record.arrays["epoch"] = np.array(epochs)
    assert latents.snapshots(record) == places


@pytest.mark.parametrize(("at", "epoch"), [(0, 0), (1, 5)])
def test_bins_hold_every_point_and_one_bit_each(smoke, at, epoch):
    record = drawn(smoke.all_runs()[0])
    values = record.arrays["sample_latents"][at].astype(float)
    table = latents.ridges(record, at, 4)
    assert set(table.epoch) == {epoch}
    assert sorted(table.dimension.unique()) == [0, 1, 3, 5]
    for dimension, part in table.groupby("dimension"):
        column = values[:, dimension]
        assert part.points.sum() == POINTS
        assert part[part.low > -1e-9].points.sum() == (column > 0).sum()
        for row in part.itertuples():
            low = row.low + 1e-12 if row.low > table.low.min() else -np.inf
            assert row.points == ((column > low) & (column <= row.high + 1e-12)).sum()


@pytest.mark.parametrize(("bins", "reach"), [(24, 26.985973509249394), (30, 63.699799115272214), (30, 1.0)])
def test_a_bit_is_that_of_its_sign_also_where_even_steps_miss_zero(bins, reach):
    for value, bit in ((0.0, 0), (-1e-300, 0), (1e-300, 1), (reach, 1), (-reach, 0)):
        counts = latents.histogram(np.array([value]), bins, reach)
        assert [counts[: bins // 2].sum(), counts[bins // 2 :].sum()] == [1 - bit, bit]


def test_latents_that_are_all_zero(smoke):
    record = drawn(smoke.all_runs()[0])
    record.arrays["sample_latents"][:] = 0
    table = latents.ridges(record, 0, 4)
    assert (table.high < 1e-9).all()
    figure, _ = latents.draw_histograms({"binary_encoding": record}, 4, 2)
    plt.close(figure)


def test_bars_are_drawn_where_the_points_are(smoke):
    record = drawn(smoke.all_runs()[0])
    table = latents.ridges(record, 0, 3)
    figure, ax = plt.subplots()
    latents.draw_ridges(ax, table, "red")
    on, off = (patch for patch in ax.artists + ax.patches if patch.get_facecolor()[3])
    for patch, part in ((on, table[table.low > -1e-9]), (off, table[table.low < -1e-9])):
        for row in part.itertuples():
            y = sorted(table.dimension.unique(), reverse=True).index(row.dimension)
            tallest = table[table.dimension == row.dimension].points.max()
            middle, top = (row.low + row.high) / 2, 0.92 * row.points / tallest
            assert patch.get_path().contains_point((middle, y + top - 1e-3))
            assert not patch.get_path().contains_point((middle, y + top + 1e-3))
    plt.close(figure)


def test_histograms_and_projection_of_every_experiment_and_protocol(made, shown, tmp_path):
    found = study.read(["smoke"])
    figures.histograms(found, "h", "See.")
    figures.projection(found, "p", "See.")
    names = [options(bundle)["name"] for bundle in shown]
    cases = ["digits-mlp-as-written", "digits-cnn-as-written", "digits-mlp-as-released"]
    assert names == [f"fig-{kind}-smoke-{case}" for kind in "hp" for case in cases]
    table = pd.read_csv(tmp_path / "figures/p-smoke-digits-mlp-as-released.csv")
    for architecture, part in table.groupby("architecture"):
        record = made[f"digits_mlp/as_released/{architecture}/seed-0"]
        assert part.first.tolist() == pytest.approx(record.arrays["sample_pca"][-1][:, 0].tolist(), rel=1e-5)
        assert part.label.tolist() == record.arrays["sample_labels"][-1].tolist()
    assert "0: class 0, 1: class 1" in shown[-1]["text/markdown"]


def test_latents_stand_above_what_the_classifier_sees_of_them(results, shown, tmp_path):
    """It sees the latents in reverse order; a record that lacks some dimensions cannot tell."""
    quick = Profile.read("quick")
    run = quick.run("digits_mlp,classifier_rotated=true", "as_written", "binary_encoding", 0)
    record = drawn(run)
    record.arrays["rotation"] = np.eye(DIMENSIONS)[::-1]
    records.save(record, records.folder(quick, run))
    found = study.read(["quick"], [run.experiment_name])
    figures.seen_histograms(found, "both", "See.")
    case = "quick-digits-mlp-classifier-rotated-true-as-written-binary-encoding"
    both = pd.read_csv(tmp_path / f"figures/both-{case}.csv")
    order = ["epoch", "dimension", "low"]
    own, seen = (
        both[both["axes"] == f"{whose} axes"].sort_values(order) for whose in ("latents'", "classifier's")
    )
    reverse = seen.assign(dimension=DIMENSIONS - 1 - seen.dimension).sort_values(order)
    assert reverse[[*order, "points"]].to_numpy() == pytest.approx(own[[*order, "points"]].to_numpy())
    assert seen.points.tolist() != own.points.tolist()
    assert "for latents' axes, classifier's axes: Binary encoding, Digits" in options(shown[0])["alt"]
    record.arrays["sample_latents"] = record.arrays["sample_latents"][:, :, 1:]
    records.save(record, records.folder(quick, run))
    figures.seen_histograms(found, "fewer", "See.")
    assert len(shown) == 1


def test_a_single_latent_lies_on_a_line(smoke):
    record = drawn(smoke.all_runs()[0])
    for name in ("sample_latents", "sample_pca"):
        record.arrays[name] = record.arrays[name][:, :, 1:2]
    for draw in (latents.draw_projection, lambda e: latents.draw_histograms(e, 8, 2)):
        figure, numbers = draw({"binary_encoding": record})
        plt.close(figure)
        if "second" in numbers:
            assert numbers["first"].tolist() == record.arrays["sample_pca"][-1][:, 0].tolist()
            assert (numbers.second == 0).all()


def test_alt_states_the_share_of_variance_within_classes():
    numbers = pd.DataFrame({"architecture": "binary_encoding", "label": [0, 0, 1, 1]})
    numbers = numbers.assign(first=[0.0, 0.0, 1.0, 1.0], second=[1.0, -1.0, 1.0, -1.0])
    assert "Binary encoding 0.8." in latents._tightness(numbers)
