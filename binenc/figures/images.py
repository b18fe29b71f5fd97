"""Sample images of the data sets."""

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch.nn.functional import pad

from binenc.data import Dataset
from binenc.figures.style import PANEL, STYLE, show, slug
from binenc.text.datasets import class_counts

SAMPLES = 10
"""Images of each class."""


def draw_samples(dataset: Dataset, n: int) -> Figure:
    """The first n training images of each class, a row a class, as one picture."""
    edge = dataset.side // 8
    images, labels = dataset.train.images[:, 0], dataset.train.labels
    side = dataset.side + 2 * edge
    rows = []
    for c in range(len(dataset.classes)):
        found = pad(images[labels == c][:n], [edge] * 4, value=-1)
        blank = found.new_full((n - len(found), side, side), -1)
        rows.append(torch.cat([*found, *blank], dim=1))
    with plt.rc_context(STYLE | {"axes.grid": False}):
        figure, ax = plt.subplots(figsize=(2 * PANEL, 2 * PANEL * len(rows) / n * 0.82))
        ax.imshow(torch.cat(rows).numpy(), cmap="gray_r", vmin=-1, vmax=1, interpolation="none")
        ax.set_yticks([side * (c + 0.5) for c in range(len(rows))], dataset.classes)
        ax.set_xticks([])
        ax.tick_params(length=0)
        ax.spines[:].set_visible(False)
        left = (0.2 + 0.085 * max(map(len, dataset.classes))) / (2 * PANEL)
        ax.set_position([left, 0.01, 0.99 - left, 0.98])
    return figure


def samples(data: dict[str, Dataset | None]) -> None:
    """Show sample images of each data set and, as their numbers, how many of each class there are."""
    for dataset in filter(None, data.values()):
        pixels = f"{dataset.side} x {dataset.side} pixels"
        caption = f"{dataset.name}: the first {SAMPLES} training images of each class ({pixels})."
        alt = f"Images of {dataset.name} in rows, one a class: {', '.join(dataset.classes)}."
        show(
            draw_samples(dataset, SAMPLES), slug("samples", dataset.name), caption, alt, class_counts(dataset)
        )
