"""Numbers and metrics as a reader sees them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binenc.metrics import measure
from binenc.protocol import AS_WRITTEN
from binenc.text.words import (
    METRICS,
    counted,
    duration,
    from_to,
    markdown_table,
    number,
    percentage_points,
    plus_minus,
    share,
)


def test_a_table_keeps_its_columns_whatever_stands_in_a_cell():
    said = markdown_table(["a", "n"], [["|x|", 1], ["y", 2]], right=["n"])
    assert said.splitlines() == ["| a | n |", "| --- | ---: |", r"| \|x\| | 1 |", "| y | 2 |"]


def test_one_is_singular():
    assert [counted(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(99.4, "99 s"), (150, "2 min"), (7100, "118 min"), (7200, "2.0 h"), (90_000, "25.0 h")],
)
def test_a_duration_is_in_the_unit_that_a_reader_would_choose(seconds, text):
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (0.123456, 3, "0.123"),
        (-0.123456, 3, "−0.123"),
        (12.3456, 3, "12.3"),
        (12345.6, 3, "12346"),
        (0.99, 4, "0.9900"),
        (59_997 / 60_000, 4, "0.99995"),
        (1.00002, 4, "1.000"),
        (10.0, 4, "10"),
        (0.0, 3, "0"),
        (1.234e-7, 3, "1.23e−7"),
        (1e9, 2, "1.0e9"),
        (float("nan"), 3, "not defined"),
        (float("inf"), 3, "too large"),
    ],
)
def test_number(value, digits, text):
    assert number(value, digits) == text


@pytest.mark.parametrize(
    ("mean", "std", "n", "text"),
    [
        (0.98765, 0.00123, 3, "0.9877 ± 0.0012"),
        (0.98765, float("nan"), 1, "0.9877"),
        (1.0, 0.0, 3, "1 ± 0"),
        (-4.07, 0.24, 3, "−4.07 ± 0.24"),
        (250.2, 54.0, 2, "250 ± 54"),
        (2.0e-6, 1.5e-7, 3, "2.00e−6 ± 1.5e−7"),
        (0.5, 3e-7, 3, "0.50000000 ± 3.0e−7"),
    ],
)
def test_plus_minus(mean, std, n, text):
    assert plus_minus(mean, std, n) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1.0000"), (0.05894, "0.0589"), (59_999 / 60_000, "0.99998"), (1.0014, "1.0014")],
)
def test_a_share_short_of_1_does_not_look_like_1(value, text):
    assert share(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (100 / 60_000, "+0.002"),
        (-100 / 60_000, "−0.002"),
        (-1e-15, "+0.000"),
        (-1.234, "−1.23"),
        (0.0, "+0.000"),
    ],
)
def test_one_point_of_60_000_is_seen_in_percentage_points(value, text):
    assert percentage_points(value) == text


@given(st.floats(1e-12, 1e12), st.integers(2, 6))
def test_a_number_reads_back_to_its_digits(value, digits):
    assert float(number(value, digits).replace("−", "-")) == pytest.approx(
        value, rel=0.51 * 10 ** (1 - digits)
    )


def test_a_range_whose_ends_are_written_alike_is_one_value():
    assert from_to([0.31, 0.1, 0.2], share) == "0.1000 to 0.3100"
    assert from_to([0.10001, 0.1], share) == "0.1000"


@pytest.mark.parametrize("value", [0.1, 0.0999999, 0.1000001])
def test_a_value_just_below_a_power_of_ten_has_its_digits(value):
    assert number(value, 2) == "0.10"


def test_words_name_what_is_measured():
    import torch

    draw = torch.Generator().manual_seed(0)
    latents = torch.randn(40, 3, generator=draw)
    labels = torch.arange(40) % 4
    logits, weight = torch.randn(40, 4, generator=draw), torch.randn(4, 3, generator=draw)
    measured = set(measure(logits, latents, labels, weight, AS_WRITTEN))
    assert set(METRICS) == measured | {"loss", "cross_entropy", "loss_bin"}
    assert {words.better for words in METRICS.values()} == {"higher", "lower", ""}


def test_each_metric_is_better_where_points_lie_at_the_vertices_of_a_simplex_that_is_a_cube():
    import torch

    draw = torch.Generator().manual_seed(0)
    labels = torch.arange(200) % 4
    codes = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    noise = torch.randn(200, 3, generator=draw)
    good, bad = codes[labels] + 0.01 * noise, codes[labels % 3] * torch.tensor([1.0, 2, 3]) + 2 * noise
    other = torch.randn(4, 3, generator=draw)
    there, off = (
        measure(x @ weight.T, x, labels, weight, AS_WRITTEN) for x, weight in ((good, codes), (bad, other))
    )
    higher = {name: there[name] > off[name] for name in there if METRICS[name].better}
    assert higher == {name: METRICS[name].better == "higher" for name in higher}
    assert {METRICS[name].better for name in ("loss", "cross_entropy")} == {"lower"}
