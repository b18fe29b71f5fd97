"""The codebook as a picture, and how far apart its rows are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from binenc.figures.style import COLOURS, PANEL, STYLE, show, slug
from binenc.geometry import hamming, pairs, plotkin_bound
from binenc.profile import ARCHITECTURES
from binenc.records import Record
from binenc.study import Study
from binenc.text.words import counted


def draw_codebook(book: np.ndarray, classes: list[str], colour: str) -> Figure:
    """The codebook (C, d), below it its Hamming distances, coloured by Plotkin's bound on the smallest."""
    n_classes, d = book.shape
    distances, bound = hamming(book), plotkin_bound(n_classes, d)
    left = 0.45 + 0.075 * max(map(len, classes))
    with plt.rc_context(STYLE | {"axes.grid": False}):
        # Not one of pyplot's, which seaborn would draw to see whether labels overlap.
        figure = Figure((2 * PANEL, 6.3 + 0.5 * left))
        above, below = figure.subplots(2, 1)
        above.imshow(
            book,
            cmap=ListedColormap(["#e6e6e6", colour]),
            vmin=0,
            vmax=1,
            aspect="auto",
            interpolation="none",
        )
        above.set_title(f"codebook: {n_classes} classes, {counted(d, 'dimension')}", y=1)
        above.set_yticks(range(n_classes), classes)
        above.set(xlabel="dimension of the latents", ylabel="class")
        if d <= 64:
            above.hlines(np.arange(n_classes) - 0.5, -0.5, d - 0.5, color="white", linewidth=0.8)
            above.vlines(np.arange(d) - 0.5, -0.5, n_classes - 0.5, color="white", linewidth=0.8)
        width, height = figure.get_size_inches()
        above.set_position([left / width, 1 - 2.3 / height, 1 - (left + 0.1) / width, 2.05 / height])
        below.set_position([left / width, left / height, 1 - (left + 0.9) / width, 1 - (left + 3.2) / height])
        at = below.get_position()
        beside = figure.add_axes((at.x1 + 0.12 / width, at.y0, 0.15 / width, at.height))
        _matrix(below, beside, distances, classes, bound)
        for ax in (above, below):
            middle = ax.get_position().y0 + ax.get_position().height / 2
            ax.yaxis.set_label_coords(0.2 / width, middle, transform=figure.transFigure)
        below.set_title(f"Hamming distances in bits (smallest: at most {bound:.1f})", y=1)
    return figure


def _matrix(ax: Axes, bar: Axes, distances: np.ndarray, classes: list[str], bound: float) -> None:
    """Numbers on colours that say whether two classes are closer than the bound, or further apart."""
    itself = np.eye(len(distances), dtype=bool)
    reach = max(abs(distances[~itself] - bound).max(), 1)
    ax.set_facecolor("#bdbdbd")
    seaborn.heatmap(
        distances,
        mask=itself,
        cmap=seaborn.diverging_palette(40, 280, s=85, l=65, as_cmap=True),  # black is legible on all of it
        vmin=bound - reach,
        vmax=bound + reach,
        annot=True,
        fmt="d",
        annot_kws={"fontsize": 9, "color": "black"},
        xticklabels=classes,
        yticklabels=classes,
        cbar_ax=bar,
        ax=ax,
    )
    ax.tick_params("x", rotation=90 if max(map(len, classes)) > 2 else 0)
    ax.tick_params("y", rotation=0)
    ax.set(xlabel="class", ylabel="class")
    bar.set_ylabel("bits that differ")


def show_codebook(record: Record, name: str, title: str, fold: str = "") -> None:
    """Show the codebook of the training points after the last epoch."""
    book, classes = record.arrays["codebook"][-1].astype(bool), record.run["classes"]
    architecture = record.run["configuration"]["architecture"]
    figure = draw_codebook(book, classes, COLOURS[architecture])
    distances = pairs(hamming(book))
    caption = (
        f"{title} Above, the most common code of each class's training points after the last epoch, coloured "
        "where the bit is 1. Below, in how many bits two classes differ: the same number everywhere if codes "
        "are the vertices of a simplex. White is Plotkin's bound on the smallest distance; orange is less, "
        "purple more."
    )
    empty = (record.arrays["test_class_count"] == 0) & ~book.any(axis=1)
    if names := [f"`{classes[i]}`" for i in np.flatnonzero(empty)]:
        caption += f" No test point counts to {', '.join(names)}: a row of zeros there may be no code."
    alt = (
        f"Codebook of {len(book)} classes in {counted(book.shape[1], 'bit')}, "
        f"{len(np.unique(book, axis=0))} of its rows distinct. Hamming distances from {distances.min()} to "
        f"{distances.max()} bits, mean {distances.mean():.1f}, standard deviation {distances.std():.1f}."
    )
    rows = pd.DataFrame(book.astype(int)).add_prefix("bit_")
    away = pd.DataFrame(hamming(book), columns=[f"distance_to_{i}" for i in range(len(book))])
    numbers = pd.concat([pd.Series(classes, name="class"), rows, away], axis=1)
    show(figure, name, caption, alt, numbers, fold)


def codebooks(found: Study, name: str) -> None:
    """Show a codebook of each experiment and protocol: under binary encoding, or the first there is."""
    for profile, protocol, experiments in found.parts():
        for experiment in experiments:
            architecture, record = next(iter(found.examples(profile, experiment, protocol).items()))
            case = found.title(profile, experiment, protocol)
            title = f"{case}; {ARCHITECTURES[architecture]}, seed {record.run['configuration']['seed']}."
            fold = found.fold(profile, [experiment], protocol)
            show_codebook(record, slug(name, profile, experiment, protocol), title, fold)
