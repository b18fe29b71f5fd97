"""What is classified: sizes, counts and checksums of the data sets."""

import pandas as pd
import torch

from binenc.data import POINTS, SIDE, Dataset, available, folder, load
from binenc.study import Study, contents
from binenc.text.words import number


def read(found: Study) -> dict[str, Dataset | None]:
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


def class_counts(dataset: Dataset) -> pd.DataFrame:
    """Images of each class, columns class, train, test."""
    n = len(dataset.classes)
    train, test = (torch.bincount(s.labels, minlength=n).tolist() for s in (dataset.train, dataset.test))
    return pd.DataFrame({"class": dataset.classes, "train": train, "test": test})
