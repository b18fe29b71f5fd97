"""Latents of a sample of test points: histograms of each dimension, and their two principal components."""

from collections.abc import Iterator
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from binenc.figures.style import COLOURS, PANEL, STYLE, arrange, show, slug
from binenc.profile import ARCHITECTURES
from binenc.records import Record
from binenc.study import Study
from binenc.text.words import counted

BINS = 30
SIDE_BY_SIDE, ALONE = 8, 16
"""Dimensions in a panel: of several architectures, of one run."""
GREY = (
    "Coloured: positive (bit 1); grey: zero or negative (bit 0; a ReLU's zeros stand just left of the line)."
)
WANTED = (0, 5, 20, 100)
"""Epochs after which latents are shown, or the nearest that a record has."""


def snapshots(record: Record) -> list[int]:
    """Places in the record's arrays of the epochs nearest to those wanted."""
    epochs = record.arrays["epoch"]
    return sorted({int(np.abs(epochs - wanted).argmin()) for wanted in WANTED})


def evenly(n: int, most: int) -> np.ndarray:
    """At most so many of n columns, evenly spread."""
    return np.linspace(0, n - 1, min(n, most)).astype(int)


def shortly(reach: float) -> str:
    """The end of an axis, in two digits or as a whole number."""
    return f"{reach:.0f}" if reach >= 100 else f"{reach:.2g}"


def edges_of(bins: int, reach: float) -> np.ndarray:
    """The edges of an even number of bins of equal width from -reach to reach, with 0 exactly amid."""
    half = np.linspace(0, reach, bins // 2 + 1)
    return np.r_[-half[:0:-1], half]


def histogram(values: np.ndarray, bins: int, reach: float) -> np.ndarray:
    """Counts in the bins of `edges_of`, each of values of one bit only.

    Zero counts to the bin below it, as its bit is 0.
    """
    return np.histogram(-values, edges_of(bins, reach))[0][::-1]


def ridges(record: Record, at: int, n: int) -> pd.DataFrame:
    """Histograms of n evenly spread dimensions; columns epoch, dimension, low, high, points (0 left out).

    A dimension is counted within those that the record keeps.
    """
    latents = record.arrays["sample_latents"][at].astype(float)
    chosen = evenly(latents.shape[1], n)
    reach = np.abs(latents[:, chosen]).max() or 1.0
    edges = edges_of(BINS, reach)
    counts = np.stack([histogram(latents[:, k], BINS, reach) for k in chosen])
    row, column = np.nonzero(counts)
    return pd.DataFrame(
        {
            "epoch": int(record.arrays["epoch"][at]),
            "dimension": chosen[row],
            "low": edges[column],
            "high": edges[column + 1],
            "points": counts[row, column],
        }
    )


def draw_ridges(ax: Axes, table: pd.DataFrame, colour: str) -> None:
    """Draw `ridges`, one above the other: what counts as bit 1 in colour, bit 0 in grey."""
    reach = (table.high - table.low).mean() * BINS / 2
    edges = edges_of(BINS, reach)
    dimensions, row = np.unique(table.dimension, return_inverse=True)
    heights = np.zeros((len(dimensions), BINS))
    heights[row, np.rint((table.low + reach) / (2 * reach) * BINS).astype(int)] = table.points
    heights *= 0.92 / heights.max(axis=1, keepdims=True)
    for on, fill in ((True, colour), (False, "#8c8c8c")):
        bars = np.where((np.arange(BINS) >= BINS // 2) == on, heights, 0)
        outlines = [_outline(edges, y + bar, y) for y, bar in enumerate(bars[::-1])]
        outline = Path.make_compound_path(*outlines)
        ax.add_artist(PathPatch(outline, facecolor=fill, edgecolor="none", clip_on=False))
    ax.hlines(range(len(dimensions)), -reach, reach, color="#bbbbbb", linewidth=0.4, zorder=0)
    ax.axvline(0, color="black", linewidth=0.6)
    ax.set(xlim=(-reach, reach), ylim=(-0.1, len(dimensions)), yticks=[], xticks=[-reach, reach])
    ax.set_xticklabels([f"−{shortly(reach)}", shortly(reach)])
    ax.tick_params(axis="x", length=2, labelsize=8)
    for place, label in zip(("left", "right"), ax.get_xticklabels(), strict=True):
        label.set_horizontalalignment(place)
    ax.grid(False)
    ax.spines["left"].set_visible(False)


def _outline(edges: np.ndarray, tops: np.ndarray, y: float) -> Path:
    """The outline of bars on the line y, as few points as it takes."""
    corners = np.column_stack([np.repeat(edges, 2), np.r_[y, np.repeat(tops, 2), y]])
    bends = np.ptp(np.stack([corners[:-2, 1], corners[1:-1, 1], corners[2:, 1]]), axis=0) > 0
    return Path(corners[np.r_[True, bends, True]], closed=False)


def draw_histograms(
    examples: dict[str, Record], n: int, height: float, kind: str = "architecture"
) -> tuple[Figure, pd.DataFrame]:
    """A row an architecture (or what else ``kind`` is), a column an epoch, n dimensions in a panel."""
    columns = max(len(snapshots(record)) for record in examples.values())
    size = (2 * PANEL, height * len(examples) + 0.55)
    tables = []
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(examples), columns, figsize=size, squeeze=False)
        for line, (name, record) in zip(axes, examples.items(), strict=True):
            for ax, at in zip(line, snapshots(record), strict=False):
                table = ridges(record, at, n)
                draw_ridges(ax, table, COLOURS[record.run["configuration"]["architecture"]])
                if name == next(iter(examples)):
                    ax.set_title(f"epoch {table.epoch.iloc[0]}", y=1)
                tables.append(table.assign(**{kind: name}))
            line[0].set_ylabel(ARCHITECTURES.get(name, name).replace(" ", "\n"))
        figure.supxlabel("latent value", fontsize=10, y=0.012)
        edge = {"left": 0.12, "right": 0.985, "top": 1 - 0.27 / size[1], "bottom": 0.47 / size[1]}
        figure.subplots_adjust(**edge, wspace=0.12, hspace=0.33 / height)
    return figure, pd.concat(tables, ignore_index=True)


def histograms(found: Study, name: str, see: str) -> None:
    """Show histograms of some dimensions at four epochs, a figure an experiment and protocol."""
    for *case, examples in _cases(found):
        title = found.title(*case)
        fold = _fold(found, *case)
        _show_histograms(slug(name, *case), title, see, examples, "architecture", fold)


def seen_histograms(found: Study, name: str, see: str) -> None:
    """Show the same of latents that the classifier sees rotated, and of what it sees, one above the other.

    A figure a run; a record that lacks some dimensions cannot tell what it sees and is left out.
    """
    for *case, examples in _cases(found):
        for architecture, record in examples.items():
            if record.sample_is_whole:
                latents = record.as_seen(record.arrays["sample_latents"].astype(float))
                seen = replace(record, arrays=record.arrays | {"sample_latents": latents})
                both = {"latents' axes": record, "classifier's axes": seen}
                title = f"{ARCHITECTURES[architecture]}, {found.title(*case)}"
                fold = _fold(found, *case)
                _show_histograms(slug(name, *case, architecture), title, see, both, "axes", fold)


def _fold(found: Study, profile: str, experiment: str, protocol: str) -> str:
    return found.fold(profile, [experiment], protocol)


def _cases(found: Study) -> Iterator[tuple]:
    """Profile, experiment and protocol, and a record an architecture."""
    for profile, protocol, experiments in found.parts():
        for experiment in experiments:
            yield profile, experiment, protocol, found.examples(profile, experiment, protocol)


def _show_histograms(
    name: str, title: str, see: str, examples: dict[str, Record], kind: str, fold: str
) -> None:
    """Show a figure of `draw_histograms`, whose rows are of that kind."""
    figure, numbers = draw_histograms(examples, SIDE_BY_SIDE, 1.55, kind)
    caption = (
        f"{title}. {see} {_whose(examples)}, at most {SIDE_BY_SIDE} dimensions, each histogram "
        f"scaled to its own largest bin, each axis to the dimensions shown. {GREY}"
    )
    epochs = ", ".join(str(epoch) for epoch in sorted(numbers.epoch.unique()))
    names = ", ".join(ARCHITECTURES.get(example, example) for example in examples)
    alt = f"Histograms of latents after epochs {epochs} for {names}: {title}. {_spread(numbers, kind)}"
    show(figure, name, caption, alt, numbers, fold)


def _whose(examples: dict[str, Record]) -> str:
    """Seeds and number of points, as a caption says it."""
    seeds = sorted({record.run["configuration"]["seed"] for record in examples.values()})
    points = len(next(iter(examples.values())).arrays["sample_labels"][0])
    return f"Seed {', '.join(map(str, seeds))}; {points} test points"


def run_histograms(record: Record, name: str) -> None:
    """Show histograms of some dimensions of one run at four epochs."""
    architecture = record.run["configuration"]["architecture"]
    figure, numbers = draw_histograms({architecture: record}, ALONE, 4.2)
    shown = counted(min(ALONE, record.arrays["sample_latents"].shape[2]), "dimension")
    caption = (
        f"Latents of {len(record.arrays['sample_labels'][0])} test points in {shown}, one above the other; "
        f"each histogram is scaled to its own largest bin. {GREY}"
    )
    epochs = ", ".join(str(epoch) for epoch in sorted(numbers.epoch.unique()))
    show(figure, name, caption, f"Histograms of latents after epochs {epochs}. {_spread(numbers)}", numbers)


def _spread(numbers: pd.DataFrame, kind: str = "architecture") -> str:
    """In words: how many bins of a histogram are occupied at last."""
    last = numbers[numbers.epoch == numbers.epoch.max()]
    used = last.groupby([kind, "dimension"], sort=False).size().groupby(kind, sort=False).mean()
    said = ", ".join(f"{ARCHITECTURES.get(name, name)} {n:.0f}" for name, n in used.items())
    return f"At last the points of a dimension lie in this many of {BINS} bins on average: {said}."


def draw_projection(examples: dict[str, Record]) -> tuple[Figure, pd.DataFrame]:
    """A panel an architecture: the points after the last epoch, each class a colour, its mean its name."""
    rows = -(-len(examples) // 2)
    tables = []
    with plt.rc_context(STYLE):
        size = (2 * PANEL, 2.6 * rows + 0.3)
        figure, axes = plt.subplots(rows, 2, figsize=size, squeeze=False)
        for ax, (architecture, record) in zip(axes.flat, examples.items(), strict=False):
            labels, points = record.arrays["sample_labels"][-1], record.arrays["sample_pca"][-1]
            points = np.pad(points, ((0, 0), (0, 2 - points.shape[1])))  # a single latent has no second
            table = pd.DataFrame({"architecture": architecture, "label": labels, "first": points[:, 0]})
            tables.append(table.assign(second=points[:, 1]))
            for label in np.unique(labels):
                _dots(ax, points[labels == label], f"C{label}")
            for label in np.unique(labels):
                x, y = points[labels == label].mean(0)
                disc = {"color": "white", "markeredgecolor": "black", "markeredgewidth": 0.6}
                ax.plot(x, y, "o", **disc, markersize=9, zorder=1)
                ax.annotate(str(label), (x, y), ha="center", va="center_baseline", fontsize=7, zorder=4)
            ax.set_aspect("equal")
            ax.set_title(ARCHITECTURES[architecture], y=1)
            ax.set_adjustable("datalim")
            ax.tick_params(labelsize=8)
        for ax in list(axes.flat)[len(examples) :]:
            ax.remove()
        figure.supxlabel("PC 1 [latent units]", fontsize=10, y=0.012)
        figure.supylabel("PC 2 [latent units]", fontsize=10, x=0.012)
        arrange(figure, axes, left=0.65, bottom=0.5, top=0.3, gap=0.6)
    return figure, pd.concat(tables, ignore_index=True)


def _dots(ax: Axes, points: np.ndarray, colour: str) -> None:
    """Points (n, 2) as the round ends of lines without length: a tenth of the size of as many markers."""
    codes = [Path.MOVETO, Path.LINETO] * len(points)
    dots = Path(np.repeat(points, 2, axis=0), codes)
    ax.add_patch(
        PathPatch(dots, edgecolor=colour, facecolor="none", linewidth=2.8, capstyle="round", alpha=0.7)
    )
    ax.autoscale_view()


def projection(found: Study, name: str, see: str) -> None:
    """Show latents by their first two principal components, a figure an experiment and protocol."""
    for *case, examples in _cases(found):
        classes = next(iter(examples.values())).run["classes"]
        figure, numbers = draw_projection(examples)
        title = found.title(*case)
        key = "" if classes[0] == "0" else " " + ", ".join(f"{i}: {c}" for i, c in enumerate(classes)) + "."
        caption = f"{title}, after the last epoch. {see} {_whose(examples)}.{key}"
        panels = "Scatter plots of latents, a panel an architecture, a colour a class"
        alt = f"{panels}: {title}. {_tightness(numbers)}"
        show(figure, slug(name, *case), caption, alt, numbers, _fold(found, *case))


def _tightness(numbers: pd.DataFrame) -> str:
    """In words: how much of the variance in the plane lies within the classes."""
    said = []
    for architecture, part in numbers.groupby("architecture", sort=False):
        points = part[["first", "second"]]
        within = points - points.groupby(part.label).transform("mean")
        share = (within**2).sum().sum() / ((points - points.mean()) ** 2).sum().sum()
        said.append(f"{ARCHITECTURES[architecture]} {share:.2g}")
    return f"Share of the variance in the plane that lies within classes: {', '.join(said)}."
