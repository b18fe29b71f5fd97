"""How each class fares: the numbers of the records, the sentence, the figure."""

import re

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr

from binenc import figures, study
from binenc.figures.classes import draw_classes
from binenc.text.classes import CLASS_COLUMNS, classes_of, extremes


def test_rows_are_what_the_records_say_of_each_class(made):
    table = classes_of(study.read(["smoke"]))
    ids = {key for key in made if "binary_encoding" in key}
    assert len(table) == sum(len(made[key].run["classes"]) for key in ids)
    for (experiment, protocol, seed), part in table.groupby(["experiment", "protocol", "seed"]):
        record = made[f"{experiment}/{protocol}/binary_encoding/seed-{seed}"]
        assert list(part["class"]) == record.run["classes"]
        for column in ("code_share", "accuracy"):
            np.testing.assert_array_equal(part[column], record.arrays[f"test_class_{column}"])


def test_the_sentence_names_the_least_and_whether_shares_rank_as_accuracies(made):
    found = study.read(["smoke"], experiments=["digits_mlp"], protocols=["as_written"])
    key = ("smoke", "digits_mlp", "as_written")
    runs = {
        0: ([0.9, 0.2, 0.7, 0.8], [0.99, 0.95, 0.97, 0.98]),
        1: ([0.9, 0.6, 0.7, 0.3], [0.97, 0.99, 0.96, 0.98]),
    }
    rows = [
        (*key, seed, f"c{i}", *pair)
        for seed, run in runs.items()
        for i, pair in enumerate(zip(*run, strict=True))
    ]
    rows.append((*key, 1, "empty", np.nan, 0.1))
    said = extremes(found, pd.DataFrame(rows, columns=CLASS_COLUMNS))
    assert "lowest whole-code share, seed by seed, class c1 (0.200), class c3 (0.300);" in said
    assert "median over classes 0.700 ± 0.071;" in said
    known = [spearmanr(*run).statistic for run in runs.values()]
    assert known[0] == pytest.approx(1)
    mean, std = re.search(r"over classes (\S+) ± (\S+) \(2 seeds\)", said).groups()
    assert (float(mean), float(std)) == pytest.approx((np.mean(known), np.std(known, ddof=1)), abs=0.05)


def test_classes_that_are_all_alike_have_no_ranks_and_the_sentence_says_so(made):
    found = study.read(["smoke"], experiments=["digits_mlp"], protocols=["as_written"])
    shares = {0: [1.0, 1.0, 1.0], 1: [0.9, 0.8, 0.7]}
    rows = [
        ("smoke", "digits_mlp", "as_written", seed, f"c{i}", share, 0.9 - i / 10)
        for seed, run in shares.items()
        for i, share in enumerate(run)
    ]
    table = pd.DataFrame(rows, columns=CLASS_COLUMNS)
    alike = "1 without ranks: all classes have one share, or one accuracy)"
    said = extremes(found, table)
    assert f"over classes 1 (2 seeds, of which {alike}" in said
    said = extremes(found, table[table.seed == 0])
    assert f"over classes not defined (1 seed, of which {alike}" in said


def test_a_single_architecture_without_codes_has_nothing_to_say(made):
    found = study.read(["smoke"], architectures=["linear_penultimate"])
    assert extremes(found, classes_of(found)) == ""


def test_the_figure_has_a_mark_a_class_and_seed(made, shown, tmp_path):
    found = study.read(["smoke"])
    figures.by_class(found, classes_of(found), "classes")
    files = sorted((tmp_path / "figures").glob("classes-*.csv"))
    assert len(files) == len(shown) == 2
    saved = pd.concat(map(pd.read_csv, files))
    assert len(saved) == len(classes_of(found))
    table = classes_of(study.read(["smoke"], protocols=["as_written"]))
    figure = draw_classes(table, ["one", "two"])
    for ax, (_, part) in zip(figure.axes, table.groupby("experiment", sort=False), strict=True):
        accuracy, share = ax.lines
        np.testing.assert_array_equal(accuracy.get_xdata(), part.accuracy)
        np.testing.assert_array_equal(share.get_xdata(), part.code_share)
        assert [t.get_text() for t in ax.get_yticklabels()] == list(dict.fromkeys(part["class"]))
    plt.close(figure)


def test_titles_go_with_their_panels_where_a_record_is_missing(made, shown, monkeypatch):
    """The first experiment's record comes last in the table, as where its first seed is not there yet."""
    found, titles = study.read(["smoke"], protocols=["as_written"]), []
    monkeypatch.setattr("binenc.figures.classes.draw_classes", lambda part, said: titles.extend(said))
    monkeypatch.setattr("binenc.figures.classes.show", lambda *_: None)
    figures.by_class(found, classes_of(found)[::-1], "classes")
    assert [title.splitlines()[0] for title in titles] == [
        "Digits (CNN), as written",
        "Digits (MLP), as written",
    ]


def test_no_figure_without_binary_encoding(made, shown):
    found = study.read(["smoke"], architectures=["no_penultimate"])
    figures.by_class(found, classes_of(found), "classes")
    assert not shown
