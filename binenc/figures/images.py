"""What is classified: sample images, sizes, counts and checksums of the data sets."""

import matplotlib.pyplot as plt
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch.nn.functional import pad

from binenc.data import CHECKSUMS, CLASSNAMES, POINTS, SIDE, Dataset, folder, load
from binenc.figures.style import PANEL, STYLE, show, slug, table
from binenc.study import Study, contents
from binenc.text.words import number

SAMPLES = 10
"""Images of each class."""


def available(name: str) -> bool:
    """Whether a data set can be read without a download."""
    if name not in CLASSNAMES:
        return True
    raw = folder() / CLASSNAMES[name] / "raw"
    return all((raw / file).is_file() for file in CHECKSUMS[CLASSNAMES[name]])


def datasets(found: Study) -> dict[str, Dataset | None]:
    """The data sets of a study; None for one whose files are not here: a picture is no reason to download."""
    names = dict.fromkeys(run.experiment.dataset for _, run in found.each())
    return {name: load(name) if available(name) else None for name in names}


def sizes(found: Study, data: dict[str, Dataset | None]) -> pd.DataFrame:
    """Of each data set its size and checksum, as text, and whether the records were trained on just that."""
    rows = []
    for name, dataset in data.items():
        made = [contents(found.profiles[p], run) for p, run in found.each() if run.experiment.dataset == name]
        sums = {m["data_checksum"] for m in made}
        n_classes = len(made[0]["classes"])
        row = {"Data": name, "Classes": n_classes, "Pixels": f"{SIDE} x {SIDE}"}
        row |= dict(zip(("Training", "Test"), POINTS, strict=True))
        checksum, same = ", ".join(f"{s[:16]}…" for s in sorted(sums)), "files not here"
        if dataset:
            row |= {"Pixels": f"{dataset.side} x {dataset.side}"}
            row |= {"Training": len(dataset.train), "Test": len(dataset.test)}
            same = "yes" if sums == {dataset.checksum} else f"no, here {dataset.checksum[:16]}…"
        rows.append(row | {"SHA-256 in the records": checksum, "Same here": same})
    return pd.DataFrame(rows)


def absent(data: dict[str, Dataset | None]) -> str:
    """Which data sets are not here, as Markdown."""
    names = [name for name, dataset in data.items() if dataset is None]
    if not names:
        return "The files of every data set of this study are on this machine."
    return (
        f"**The files of {' and '.join(names)} are not on this machine**, so there are no pictures of them. "
        f"They belong in `{folder().name}/`, or where `BINENC_DATA` says; `make paper` downloads them."
    )


def scaled(data: dict[str, Dataset | None]) -> str:
    """The range and the mean of all pixels after scaling, as Markdown."""
    said = [
        f"- {name}: from {number(d.train.images.min().item())} to {number(d.train.images.max().item())}, "
        f"mean {number(d.train.images.mean().item())} over the training images."
        for name, d in data.items()
        if d
    ]
    return "\n".join(said)


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


def tables(data: dict[str, Dataset | None]) -> None:
    """Show how many images of each class there are, a table a data set."""
    for dataset in filter(None, data.values()):
        caption = f"Images of each class of {dataset.name}."
        table(class_counts(dataset), slug("classes", dataset.name), caption)


def class_counts(dataset: Dataset) -> pd.DataFrame:
    """Images of each class, columns class, train, test."""
    n = len(dataset.classes)
    train, test = (torch.bincount(s.labels, minlength=n).tolist() for s in (dataset.train, dataset.test))
    return pd.DataFrame({"class": dataset.classes, "train": train, "test": test})
