"""The codebook as a picture, and how far apart its rows are."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from binenc.figures.style import COLOURS, PANEL, STYLE, show, slug
from binenc.profile import ARCHITECTURES
from binenc.records import Record
from binenc.study import Study


def hamming(book: np.ndarray) -> np.ndarray:
    """Number of dimensions in which two rows of a codebook (C, d) differ: integers of shape (C, C)."""
    return (book[:, None] != book).sum(2)


def simplex(book: np.ndarray) -> float:
    """What all of these distances would be, were the rows vertices of a simplex: d/2 C/(C-1)."""
    n_classes, d = book.shape
    return d / 2 * n_classes / (n_classes - 1)


def draw_codebook(book: np.ndarray, classes: list[str], colour: str) -> Figure:
    """The codebook (C, d) above the matrix of its Hamming distances, whose colours are centred on the simplex."""
    n_classes, d = book.shape
    distances, target = hamming(book), simplex(book)
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, (above, below) = plt.subplots(2, 1, figsize=(2 * PANEL, 6.3), height_ratios=(1, 1.75))
        above.imshow(book, cmap=ListedColormap(["#e6e6e6", colour]), vmin=0, vmax=1, aspect="auto")
        above.set_title(f"codebook: {n_classes} classes, {d} dimensions")
        above.set_yticks(range(n_classes), classes)
        above.set_xlabel("dimension of the latents")
        if d <= 64:
            above.set_xticks(np.arange(d + 1) - 0.5, minor=True)
            above.set_yticks(np.arange(n_classes + 1) - 0.5, minor=True)
            above.grid(which="minor", color="white", linewidth=0.8)
            above.tick_params(which="minor", length=0)
        reach = max(abs(distances[~np.eye(n_classes, dtype=bool)] - target).max(), 1)
        shown = np.ma.masked_array(distances, np.eye(n_classes, dtype=bool))
        image = below.imshow(shown, cmap="PuOr", vmin=target - reach, vmax=target + reach)
        for (i, j), distance in np.ndenumerate(distances):
            if i != j:
                dark = abs(distance - target) > 0.6 * reach
                below.text(
                    j,
                    i,
                    str(distance),
                    ha="center",
                    va="center_baseline",
                    fontsize=9,
                    color="white" if dark else "black",
                )
        below.set_title(f"Hamming distances in bits (simplex: {target:.1f})")
        below.set_xticks(range(n_classes), classes)
        if max(map(len, classes)) > 2:
            below.tick_params(axis="x", rotation=90)
        below.set_yticks(range(n_classes), classes)
        figure.colorbar(image, ax=below, shrink=0.9, pad=0.02)
        figure.tight_layout()
    return figure


def show_codebook(record: Record, name: str, title: str) -> None:
    """Show the codebook of the training points after the last epoch."""
    book, classes = record.arrays["codebook"][-1].astype(bool), record.run["classes"]
    architecture = record.run["configuration"]["architecture"]
    figure = draw_codebook(book, classes, COLOURS[architecture])
    distances = hamming(book)[np.triu_indices(len(book), 1)]
    caption = (
        f"{title} Above, the most common code of each class's training points after the last epoch, coloured where "
        "the bit is 1. Below, in how many bits two classes differ; white is the distance between vertices of a "
        "simplex, orange is closer, purple further apart."
    )
    alt = (
        f"Codebook of {len(book)} classes in {book.shape[1]} bits, {len(np.unique(book, axis=0))} of its rows "
        f"distinct. Hamming distances from {distances.min()} to {distances.max()} bits, mean "
        f"{distances.mean():.1f}; a simplex would need {simplex(book):.1f}."
    )
    rows = pd.DataFrame(book.astype(int)).add_prefix("bit_")
    away = pd.DataFrame(hamming(book), columns=[f"distance_to_{i}" for i in range(len(book))])
    show(figure, name, caption, alt, pd.concat([pd.Series(classes, name="class"), rows, away], axis=1))


def codebooks(found: Study, name: str, see: str) -> None:
    """Show the codebook under binary encoding (or the first architecture there is) of each experiment and protocol."""
    for profile, protocol, experiments in found.parts():
        for experiment in experiments:
            architecture, record = next(iter(found.examples(profile, experiment, protocol).items()))
            title = (
                f"{see} {found.title(profile, experiment)}, {protocol.replace('_', ' ')}; "
                f"{ARCHITECTURES[architecture]}, seed {record.run['configuration']['seed']}."
            )
            show_codebook(record, slug(name, profile, experiment, protocol), title)
