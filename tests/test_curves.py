"""Curves and where they end: that they show what the records say."""

import dataclasses
import math
import statistics
import unicodedata

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn import options

from binenc import figures, study
from binenc.figures import style
from binenc.figures.curves import draw_curves, draw_ends, panel_title
from binenc.profile import ARCHITECTURES


class TestCurves:
    ROWS = (("accuracy", "test"), ("std", "train"))

    def test_numbers_are_those_of_the_records(self, made, shown, tmp_path):
        figures.curves(study.read(["smoke"]), "w", list(self.ROWS), "See.")
        files = sorted((tmp_path / "figures").glob("*.csv"))
        assert [path.stem for path in files] == ["w-smoke-as-released", "w-smoke-as-written"]
        checked = 0
        for row in pd.concat(map(pd.read_csv, files)).itertuples():
            assert (row.metric, row.split) in self.ROWS
            values = [
                value
                for name, record in made.items()
                if name.startswith(f"{row.experiment}/{row.protocol}/{row.architecture}/")
                for epoch, split, metric, value in record.history.itertuples(index=False)
                if (epoch, split, metric) == (row.epoch, row.split, row.metric)
            ]
            assert row.n == len(values) > 0
            assert row.mean == pytest.approx(statistics.mean(values), rel=1e-5)
            assert (
                np.isnan(row.std)
                if row.n == 1
                else row.std == pytest.approx(statistics.stdev(values), rel=1e-5)
            )
            checked += row.n
        assert checked == sum(len(self.ROWS) * len(record.history.epoch.unique()) for record in made.values())

    @pytest.mark.parametrize("draw", [figures.curves, figures.ends])
    def test_records_older_than_a_metric_are_left_out(self, made, shown, tmp_path, draw):
        found = study.read(["smoke"])
        t = found.table
        for lacks, files in (("digits_cnn", 2), ("", 0)):
            older = dataclasses.replace(
                found, table=t[(t.metric != "std") | ((t.experiment != lacks) & bool(lacks))]
            )
            draw(older, f"w{files}", [("std", "train")], "See.")
            assert len(list((tmp_path / "figures").glob(f"w{files}*.csv"))) == files

    @pytest.mark.parametrize("draw", [figures.curves, figures.ends])
    def test_titles_go_with_their_panels_in_whatever_order_the_records_come(self, made, shown, draw):
        found = study.read(["smoke"], protocols=["as_written"])
        draw(dataclasses.replace(found, table=found.table[::-1]), "w", [("std", "train")], "See.")
        svg = shown[0]["text/html"].partition("<svg")[2]
        assert svg.index("Digits (CNN)") < svg.index("Digits (MLP)")

    def test_lines_and_bands_are_the_numbers(self, made):
        found = study.read(["smoke"], experiments=["digits_mlp"], protocols=["as_written"])
        numbers = study.over_seeds(
            found.table[(found.table.metric == "accuracy") & (found.table.split == "test")]
        )
        figure = draw_curves(numbers, [("accuracy", "test")], ["A title"])
        (ax,) = figure.axes
        for architecture, title in ARCHITECTURES.items():
            (line,) = (line for line in ax.lines if line.get_label() == title)
            part = numbers[numbers.architecture == architecture]
            assert line.get_color() == style.COLOURS[architecture]
            assert line.get_xdata().tolist() == part.epoch.tolist()
            assert line.get_ydata().tolist() == part["mean"].tolist()
        (band,) = ax.collections  # only binary encoding has two seeds
        part = numbers[numbers.architecture == "binary_encoding"]
        edges = band.get_paths()[0].vertices[:, 1]
        assert edges.min() == pytest.approx((part["mean"] - part["std"]).min())
        assert edges.max() == pytest.approx((part["mean"] + part["std"]).max())
        plt.close(figure)

    def test_a_row_of_panels_is_of_its_split(self):
        numbers = pd.DataFrame({"epoch": [0, 5, 0, 5], "split": ["train", "train", "test", "test"]})
        numbers = numbers.assign(mean=[0.1, 0.2, 0.3, 0.4], std=np.nan, n=1, metric="accuracy")
        numbers = numbers.assign(experiment="e", architecture="binary_encoding")
        figure = draw_curves(numbers, [("accuracy", "test"), ("accuracy", "train")], ["t"])
        assert [ax.lines[0].get_ydata().tolist() for ax in figure.axes] == [[0.3, 0.4], [0.1, 0.2]]
        plt.close(figure)

    @pytest.mark.parametrize(
        ("metric", "values", "scale"),
        [
            ("std", [1e-3, 1.0], "log"),
            ("std", [0.1, 1.0], "linear"),
            ("std", [0.0, 1.0], "linear"),
            ("accuracy", [1e-3, 1.0], "linear"),
        ],
    )
    def test_log_axis_where_values_span_decades(self, metric, values, scale):
        numbers = pd.DataFrame(
            {
                "experiment": "e",
                "architecture": "binary_encoding",
                "epoch": [0, 5],
                "metric": metric,
                "split": "train",
            }
        )
        numbers = numbers.assign(mean=values, std=[2 * value for value in values], n=3)
        figure = draw_curves(numbers, [(metric, "train")], ["t"])
        (ax,) = figure.axes
        assert ax.get_yscale() == scale
        edges = ax.collections[0].get_paths()[0].vertices[:, 1]
        low = min(values) / 3 if scale == "log" else -max(values)  # a third, as three times is above
        assert edges.min() == pytest.approx(low)
        plt.close(figure)

    @pytest.mark.parametrize("reach", [10.1, 19.0, 21.0, 250.0, 350.0, 1e5, 1e12])
    @pytest.mark.parametrize("low", [0.0031, 1.1, 4.9])
    def test_a_logarithmic_axis_has_a_few_labels(self, low, reach):
        figure, ax = plt.subplots()
        ax.set(yscale="log", ylim=(low, low * reach))
        style.log_ticks(ax.yaxis)
        shown = [y for y in ax.get_yticks() if low <= y <= low * reach]
        assert 2 <= len(shown) <= 6
        plt.close(figure)

    def test_labels_of_many_decades_are_powers_of_ten_as_plain_text(self):
        figure, ax = plt.subplots()
        ax.set(yscale="log", ylim=(3e-12, 2e3))
        style.log_ticks(ax.yaxis)
        labels = [label.get_text() for label in ax.get_yticklabels()]
        plain = [unicodedata.normalize("NFKC", label).replace("\N{MINUS SIGN}", "-") for label in labels]
        assert all(text.startswith("10") for text in plain)
        assert [10.0 ** int(text[2:]) for text in plain] == pytest.approx(ax.get_yticks())
        plt.close(figure)

    def test_titles_fit_beside_each_other(self, made, smoke):
        found = study.read(["smoke"])
        runs = [
            dataclasses.replace(
                run,
                experiment=run.experiment.model_copy(
                    update={"title": f"A {run.experiment.title} of a long title"}
                ),
            )
            for run in found.runs["smoke"]
        ]
        long = dataclasses.replace(found, runs={"smoke": runs})
        titles = [panel_title(long, "smoke", f"digits_{net}", "as_written") for net in ("mlp", "cnn")]
        numbers = study.over_seeds(found.table.query("protocol == 'as_written' and metric == 'accuracy'"))
        figure = draw_curves(numbers, [("accuracy", "test")], titles)
        boxes = [ax.title.get_window_extent() for ax in figure.axes]
        assert boxes[0].x1 < boxes[1].x0
        assert all(figure.bbox.x0 <= box.x0 and box.x1 <= figure.bbox.x1 for box in boxes)
        assert all(box.y1 <= figure.bbox.y1 for box in boxes)
        plt.close(figure)

    def test_axis_shows_what_comes_after_the_start(self):
        numbers = pd.DataFrame(
            {
                "experiment": "e",
                "architecture": "binary_encoding",
                "epoch": [0, 50, 100],
                "metric": "accuracy",
            }
        )
        numbers = numbers.assign(mean=[0.1, 0.98, 1.0], std=np.nan, n=1, split="train")
        for start, low in ((0, 0.1), (0.1, 0.98)):
            figure = draw_curves(numbers, [("accuracy", "train")], ["t"], start)
            bottom, top = figure.axes[0].get_ylim()
            assert low - 0.06 < bottom < low
            assert 1 < top < 1 + 0.04 * (1 - low)  # no share is above 1, and a line there is seen
            plt.close(figure)

    @pytest.mark.parametrize(
        ("metric", "splits", "said"),
        [
            ("accuracy", ["train", "test"], "Accuracy (train)\n[share of points]"),
            ("cross_entropy", ["train", "test"], "Cross-entropy\n(train) [nats]"),
            ("accuracy", ["train"], "Accuracy\n[share of points]"),
        ],
    )
    def test_a_label_is_two_lines_that_fit(self, metric, splits, said):
        numbers = pd.DataFrame({"experiment": "e", "epoch": [0, 5], "architecture": "binary_encoding"})
        numbers = numbers.assign(metric=metric, mean=0.5, std=np.nan, n=1)
        numbers = pd.concat([numbers.assign(split=split) for split in splits])
        figure = draw_curves(numbers, [(metric, split) for split in splits], ["t"])
        assert figure.axes[0].get_ylabel() == said
        plt.close(figure)

    def test_a_logarithmic_axis_after_the_start_holds_all_bands(self):
        numbers = pd.DataFrame({"experiment": "e", "epoch": [0, 50, 100] * 2, "metric": "cross_entropy"})
        numbers = numbers.assign(
            architecture=["binary_encoding"] * 3 + ["no_penultimate"] * 3,
            mean=[0.5, 0.1, 0.01, 0.5, 1e-3, 5e-5],
            std=[0.1, 0.09, 0.02, 0.1, 1e-3, 4e-5],
            split="train",
            n=3,
        )
        figure = draw_curves(numbers, [("cross_entropy", "train")], ["t"], 0.1)
        (ax,) = figure.axes
        assert ax.get_yscale() == "log"
        low, high = ax.get_ylim()
        assert 0 < low < 5e-5**2 / 9e-5 < 0.19 < high < 0.3  # of epoch 0 nothing
        assert low > 5e-5**2 / 9e-5 / 2
        assert len([y for y in ax.get_yticks() if low <= y <= high]) >= 2
        plt.close(figure)

    @pytest.mark.parametrize(("n", "marker"), [(3, "."), (11, "None")])
    def test_a_few_evaluations_have_marks(self, n, marker):
        numbers = pd.DataFrame({"experiment": "e", "epoch": range(n), "metric": "accuracy"})
        numbers = numbers.assign(architecture="binary_encoding", mean=0.5, std=np.nan, split="train", n=1)
        figure = draw_curves(numbers, [("accuracy", "train")], ["t"])
        assert figure.axes[0].lines[0].get_marker() == marker
        assert all(x == int(x) for x in figure.axes[0].get_xticks())
        plt.close(figure)

    @pytest.mark.parametrize("start", [0, 0.1])
    def test_caption_says_where_the_axes_begin(self, made, shown, start):
        figures.curves(study.read(["smoke"]), "w", [("accuracy", "test")], "See.", start)
        said = "See. The vertical axes are those of the epochs after the first 10 %. Test points"
        assert len(shown) == 2
        assert all((said in bundle["text/markdown"]) is bool(start) for bundle in shown)

    def test_caption_says_seeds_and_records(self, made, shown):
        figures.curves(study.read(["smoke"]), "w", [("accuracy", "test")], "What to see.")
        written, released = (bundle["text/markdown"] for bundle in shown)
        assert "As written. What to see. Test points; mean over seeds" in written
        assert "(n = 1 to 2). Records: profile smoke, trained afresh." in written
        assert "As released. What to see. Test points; one seed, so no band (n = 1)." in released
        last = made["digits_mlp/as_released/no_penultimate/seed-0"].final("accuracy", "test")
        assert f"No penultimate {last:.3g}" in options(shown[1])["alt"]

    def test_columns_say_which_profile(self, made, shown, tmp_path):
        figures.curves(study.read(["smoke"]), "w", [("accuracy", "test")], "See.")
        svg = (tmp_path / "figures/w-smoke-as-written.svg").read_text()
        assert svg.count(">profile smoke, trained afresh</text>") == 2
        first, second = (svg.index(f">Digits ({net}), as written</text>") for net in ("MLP", "CNN"))
        assert first < second

    def test_ends_hold_a_dot_a_seed(self, made, shown, tmp_path):
        figures.ends(study.read(["smoke"]), "e", [("accuracy", "train"), ("accuracy", "test")], "See.")
        table = pd.concat(pd.read_csv(path) for path in (tmp_path / "figures").glob("e-*.csv"))
        assert len(table) == 2 * len(made)
        for row in table.itertuples():
            run = f"{row.experiment}/{row.protocol}/{row.architecture}/seed-{row.seed}"
            assert row.value == pytest.approx(made[run].final("accuracy", row.split), rel=1e-5)

    def test_ends_have_their_mean_and_standard_deviation(self):
        mine, other = "binary_encoding", "no_penultimate"
        rows = [(mine, "train", 0.2), (mine, "train", 0.4), (mine, "train", 0.9), (other, "train", 0.7)]
        rows += [(mine, "test", 0.1), (mine, "test", 0.3)]
        seeds = pd.DataFrame(rows, columns=["architecture", "split", "value"])
        seeds = seeds.assign(experiment="e", metric="std")
        figure = draw_ends(seeds, [("std", "test"), ("std", "train")], ["t"])
        test, train = figure.axes
        assert test.lines[0].get_ydata().tolist() == [0.1, 0.3]
        spread, alone = train.containers
        (mean, (low, high), _), (single, caps, _) = spread, alone
        assert mean.get_ydata() == pytest.approx([0.5])
        assert high.get_ydata() - 0.5 == pytest.approx([math.sqrt((0.3**2 + 0.1**2 + 0.4**2) / 2)])
        assert 0.5 - low.get_ydata() == pytest.approx(high.get_ydata() - 0.5)
        assert single.get_ydata() == pytest.approx([0.7])
        assert len(caps) == 0
        plt.close(figure)

    def test_the_lines_of_a_run_are_what_their_labels_say(self, made, monkeypatch):
        shown = []
        monkeypatch.setitem(draw_curves.__globals__, "show", lambda figure, *_: shown.append(figure))
        record = made["digits_mlp/as_written/binary_encoding/seed-0"]
        figures.run_curves(record, "one")
        lines = [
            {
                "loss, in training": ("epoch_loss", "train"),
                "cross-entropy, train": ("cross_entropy", "train"),
                "cross-entropy, test": ("cross_entropy", "test"),
                "$L_{bin}$, train": ("loss_bin", "train"),
            },
            {
                "in training": ("epoch_accuracy", "train"),
                "train": ("accuracy", "train"),
                "test": ("accuracy", "test"),
            },
        ]
        h = record.history
        for ax, expected in zip(shown[0].axes, lines, strict=True):
            assert {line.get_label(): line.get_ydata().tolist() for line in ax.lines} == {
                label: h[(h.metric == metric) & (h.split == split)].value.tolist()
                for label, (metric, split) in expected.items()
            }
        plt.close(shown[0])

    def test_a_run_shows_its_history(self, made, shown, tmp_path):
        record = next(iter(made.values()))
        figures.run_curves(record, "one")
        table = pd.read_csv(tmp_path / "figures/one.csv")
        assert "loss_bin" in set(table.metric)
        history = record.history[record.history.metric.isin(table.metric.unique())]
        assert table.value.tolist() == pytest.approx(history.value.tolist(), rel=1e-5)
        assert f"{record.final('accuracy', 'test'):.4f} on test" in options(shown[0])["alt"]
        assert "at least γ = 10." in shown[0]["text/markdown"]

    def test_a_binary_loss_that_is_not_minimised_is_not_drawn(self, made, shown, tmp_path):
        record = next(iter(made.values()))
        h = record.history.set_index("metric")
        h.loc["loss", "value"] = h.loc["cross_entropy", "value"].to_numpy()
        figures.run_curves(dataclasses.replace(record, history=h.reset_index()), "one")
        assert "γ" not in shown[0]["text/markdown"]
        assert "loss_bin" not in set(pd.read_csv(tmp_path / "figures/one.csv").metric)
