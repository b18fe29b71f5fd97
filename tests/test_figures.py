"""Figures: that they show what the records say, and that all can read them."""

import dataclasses
import math

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from drawn import drawn
from worlds import judge, paper_world, table

from binenc import figures, study
from binenc.claims.effect import Effect
from binenc.claims.switches import HEADLINES
from binenc.figures import codes, effects, networks
from binenc.geometry import hamming
from binenc.profile import Profile


class TestCodes:
    def test_codebook(self, made, shown, tmp_path):
        record = made["digits_mlp/as_written/binary_encoding/seed-0"]
        figures.codebooks(study.read(["smoke"]), "c")
        assert len(shown) == 3
        table = pd.read_csv(tmp_path / "figures/c-smoke-digits-mlp-as-written.csv")
        assert (table.filter(like="bit_").to_numpy() == record.arrays["codebook"][-1]).all()
        distances = table.filter(like="distance_").to_numpy()
        assert (distances == hamming(record.arrays["codebook"][-1])).all()
        assert "Binary encoding, seed 0" in shown[0]["text/markdown"]

    @pytest.mark.parametrize("empty", [True, False])
    def test_a_class_to_which_no_point_counts_is_named(self, shown, empty):
        record = drawn(Profile.read("smoke").all_runs()[0])
        record.arrays["codebook"][-1, 0] = not empty
        record.arrays["codebook"][-1, 1] = False  # zeros are this one's code
        codes.show_codebook(record, "c", "Codes.")
        assert ("No test point counts to `class 0`: a row" in shown[0]["text/markdown"]) == empty

    @pytest.mark.parametrize("d", [3, 64, 2048])
    def test_every_size_is_drawn(self, d):
        figure = codes.draw_codebook(np.eye(10, d) > 0, [f"a class {i}" for i in range(10)], "red")
        texts = [text.get_text() for text in figure.axes[1].texts]
        assert len(texts) == 90
        plt.close(figure)


class TestEffects:
    def test_means_intervals_and_bounds_are_on_the_scale_of_the_unit(self):
        logs, bounds = pd.Series(np.log([2.0, 4.0, 8.0])), {"above": math.log(0.5), "below": math.log(32)}
        three = (
            Effect("a", logs, "ratio", **bounds, ratio=True),
            Effect("b", pd.Series([1.0, 2.0, 6.0]), "nats", above=-5.0),
            Effect("c", pd.Series([1.0, 3.0, 5.0]), "bits", above=-5.0, decides=False),
        )
        figure = effects.forest([dataclasses.replace(judge(1, table(paper_world())), effects=three)])
        reach = 4.302653 / math.sqrt(3)  # Student's t of three seeds
        expected = [
            (4.0, 4 / 2**reach, 4 * 2**reach, [0.5, 32.0]),
            (3.0, 3 - reach * math.sqrt(7), 3 + reach * math.sqrt(7), [-5.0]),
            (3.0, 3 - reach * 2, 3 + reach * 2, []),
        ]
        for ax, (mean, low, high, claimed) in zip(figure.axes, expected, strict=True):
            mark, interval, *dashed = ax.lines
            assert mark.get_xdata() == pytest.approx([mean])
            assert interval.get_xdata() == pytest.approx([low, high])
            assert [x for line in dashed for x in set(line.get_xdata())] == pytest.approx(claimed)
        plt.close(figure)

    def test_protocols_have_panels_of_their_own(self):
        worlds = [table(paper_world(), protocol=name) for name in ("as_written", "as_released")]
        drawn = [judge(1, world) for world in worlds]
        figure = effects.forest(drawn)
        titles = [ax.get_title() for ax in figure.axes if ax.get_title()]
        assert titles == ["digits_mlp, as written\n", "digits_mlp, as released\n"]
        marks = [{line.get_marker() for line in ax.lines} & {"o", "s"} for ax in figure.axes]
        assert marks == [{"o"}, {"s"}] * (len(figure.axes) // 2)
        plt.close(figure)

    def test_an_axis_of_shares_ends_at_one(self):
        effect = Effect("a", pd.Series([1.0, 1.0]), "share of points", above=0.99)
        figure = effects.forest([dataclasses.replace(judge(1, table(paper_world())), effects=(effect,))])
        low, high = figure.axes[0].get_xlim()
        assert low < 0.99
        assert 1 < high < 1.01
        plt.close(figure)

    def test_what_is_claimed_is_on_one_line(self):
        effect = Effect("a name of a length that fills a line", pd.Series([1.0]), "bits", above=1.0)
        assert effects.label(effect).splitlines()[-1].endswith("[>\N{NO-BREAK SPACE}1]")


class TestSwitches:
    @pytest.mark.parametrize(("far", "scale"), [(-17.5, "symlog"), (3.0, "linear")])
    def test_large_leads_do_not_hide_small_ones(self, shown, far, scale):
        rows = [("quick", "e", "as_written", 0, n, 0.5) for n in HEADLINES]
        rows += [("quick", "e", "as_written,softmax_twice=true", 0, n, far) for n in HEADLINES]
        numbers = pd.DataFrame(rows, columns=["profile", "experiment", "protocol", "seed", "number", "value"])
        figure = effects.draw_switches(numbers, 0)
        assert [ax.get_xscale() for ax in figure.axes[:2]] == [scale] * 2
        assert figure.axes[0].get_xlim()[1] < 10
        plt.close(figure)
        effects.show_switches(numbers, "A title", 0)
        assert ("linear within ± 1" in shown[0]["text/markdown"]) is (scale == "symlog")

    def test_filled_is_the_seed_and_open_are_the_others(self):
        rows = [("as_written", 0, 0.25), ("as_written", 1, 0.5)]
        rows += [("as_released", 1, 0.75), ("as_released", 0, 1.0)]
        numbers = [(p, s, n, v + i) for i, n in enumerate(HEADLINES) for p, s, v in rows]
        numbers = pd.DataFrame(numbers, columns=["protocol", "seed", "number", "value"])
        figure = effects.draw_switches(numbers, 0)
        for i, ax in enumerate(figure.axes):
            others, mine, dashed = ax.lines
            assert others.get_xydata().tolist() == [[0.5 + i, 0], [0.75 + i, 1]]
            assert mine.get_xydata().tolist() == [[0.25 + i, 0], [1.0 + i, 1]]
            assert others.get_markerfacecolor() == "#ffffff" != mine.get_markerfacecolor()
            assert dashed.get_xdata() == [0.25 + i] * 2
        plt.close(figure)

    @pytest.mark.parametrize("protocol", ["as_written", "as_released"])
    def test_a_dashed_line_stands_for_as_written_alone(self, shown, protocol):
        names = [protocol, f"{protocol},softmax_twice=true"]
        rows = [("quick", "e", p, 0, n, 0.5) for p in names for n in HEADLINES]
        numbers = pd.DataFrame(rows, columns=["profile", "experiment", "protocol", "seed", "number", "value"])
        figure = effects.draw_switches(numbers, 0)
        lines = [line for ax in figure.axes for line in ax.lines if line.get_linestyle() == "--"]
        plt.close(figure)
        effects.show_switches(numbers, "A title", 0)
        drawn = protocol == "as_written"
        assert len(lines) == len(HEADLINES) * drawn
        assert ("dashed" in shown[0]["text/markdown"]) == drawn


class TestNetworks:
    def test_heads_are_those_of_the_models(self, shown):
        from binenc.models import PENULTIMATE, WITH_BINARY_LOSS

        assert list(networks.HEADS) == list(PENULTIMATE)[: len(networks.HEADS)]
        for name, boxes in networks.HEADS.items():
            layer = str(PENULTIMATE[name](8, 4))
            assert ("ReLU" in boxes[0]) == ("ReLU" in layer)
            assert bool(boxes[0]) == ("Linear" in layer)
            assert ("L_bin" in boxes[-1]) == (name in WITH_BINARY_LOSS)
        figures.heads()
        figures.backbones()
        assert len(shown) == 2

    @pytest.mark.parametrize(("backbone", "experiment"), [("mlp", "mnist"), ("cnn", "fashion_mnist")])
    def test_backbones_are_those_of_the_models(self, backbone, experiment):
        from torch import nn

        from binenc.models import build

        run = Profile.read("paper").run(experiment, "as_written", "binary_encoding", 0)
        layers = [type(layer) for layer in build(run, 28, 10).backbone]
        boxes = " ".join(networks.BACKBONES[backbone])
        for word, kind in (
            ("fully connected", nn.Linear),
            ("conv", nn.Conv2d),
            ("pool", nn.MaxPool2d),
            ("dropout", nn.Dropout),
        ):
            assert boxes.count(word) == layers.count(kind)
        assert boxes.count("ReLU") == layers.count(nn.ReLU)

    def test_loss_shape(self, shown, tmp_path):
        figures.loss_shape(d=4)
        table = pd.read_csv(tmp_path / "figures/loss-shape.csv")
        assert table.exp_of_mean.tolist() == pytest.approx(np.exp(table.a**2).tolist(), rel=1e-4)
        assert table.mean_of_exp.tolist() == pytest.approx(table.exp_of_mean.tolist(), rel=1e-4)
        assert table.exp_of_norm.tolist() == pytest.approx(np.exp(4 * table.a**2).tolist(), rel=1e-4)
        assert table.mean_square.tolist() == pytest.approx((1 + table.a**2).tolist(), rel=1e-4)
        slope = np.gradient(np.exp(table.a**2), table.a)
        assert table.slope[1:-1].tolist() == pytest.approx(slope[1:-1].tolist(), rel=0.02)
