"""One style, one colour an architecture, one function a figure; each is saved as SVG, PDF and CSV."""

import os
from html import escape
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.figure import Figure

from binenc.profile import ARCHITECTURES, ROOT, Profile
from binenc.words import METRICS

COLOURS = dict(zip(ARCHITECTURES, ("#0072B2", "#D55E00", "#009E73", "#CC79A7"), strict=True))
"""Okabe and Ito's colour-blind safe palette."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "binenc",
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "font.size": 9,
}


def show(figure: Figure, name: str, caption: str, alt: str, numbers: pd.DataFrame) -> None:
    """Save a figure as ``name``.svg, .pdf and .csv and display it, numbered and captioned in the book."""
    folder = Path(os.environ.get("BINENC_FIGURES", ROOT / "_build/figures"))
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.pdf", metadata={"CreationDate": None})
    numbers.to_csv(folder / f"{name}.csv", index=False)
    plt.close(figure)
    links = " · ".join(f"{{download}}`{end.upper()} </figures/{name}.{end}>`" for end in ("svg", "pdf", "csv"))
    book = f"```{{figure}} /figures/{name}.svg\n:name: fig-{name}\n:alt: {alt}\n\n{caption}\n\n{links}\n```"
    svg = (folder / f"{name}.svg").read_text()
    lab = f"{svg[svg.index('<svg') :]}<p>{escape(caption)}</p>"
    display({"text/markdown": book, "text/html": lab}, raw=True)


def curves(table: pd.DataFrame, metrics: list[str], profiles: dict[str, Profile], split: str = "train"):
    """Metrics over epochs: a row a metric and protocol, a column an experiment, mean and std over seeds.

    Returns the figure and the numbers in it.
    """
    table = table[(table.split == split) & table.metric.isin(metrics)]
    keys = ["profile", "experiment", "protocol", "metric", "architecture", "epoch"]
    numbers = table.groupby(keys, sort=False).value.agg(["mean", "std", "count"]).reset_index()
    columns = list(numbers[["profile", "experiment"]].drop_duplicates().itertuples(index=False, name=None))
    rows = [(m, p) for m in metrics for p in numbers.protocol.unique()]
    with plt.rc_context(STYLE):
        size = (3.4 * len(columns) + 0.5, 2.2 * len(rows) + 0.5)
        figure, axes = plt.subplots(len(rows), len(columns), figsize=size, squeeze=False, sharex="col")
        for (metric, protocol), line in zip(rows, axes, strict=True):
            for (profile, experiment), ax in zip(columns, line, strict=True):
                part = numbers.query(
                    "profile == @profile and experiment == @experiment and "
                    "protocol == @protocol and metric == @metric"
                )
                for architecture, curve in part.groupby("architecture"):
                    colour, low, high = COLOURS[architecture], curve["mean"] - curve["std"], curve["mean"] + curve["std"]
                    ax.plot(curve.epoch, curve["mean"], color=colour, label=ARCHITECTURES[architecture])
                    ax.fill_between(curve.epoch, low, high, color=colour, alpha=0.2, linewidth=0)
                if METRICS[metric].log and len(part) and (part["mean"] > 0).all():
                    ax.set_yscale("log")
                if line is axes[0]:
                    ax.set_title(profiles[profile].experiments[experiment.split(",")[0]].title)
                if line is axes[-1]:
                    ax.set_xlabel("epoch")
            line[0].set_ylabel(f"{METRICS[metric].title}\n[{METRICS[metric].unit}]\n{protocol}")
        figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    return figure, numbers
