"""Metrics over epochs, and where they end."""

import textwrap
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from binenc.figures.style import COLOURS, DASHES, PANEL, STYLE, arrange, log_ticks, show, slug
from binenc.profile import ARCHITECTURES
from binenc.protocol import in_words
from binenc.records import Record
from binenc.study import Study, last_epoch, over_seeds, source
from binenc.text.words import METRICS, SHARES, n_seeds, number, share

FEW = 5
"""Evaluations of which each has a mark: so few look smoother as a line than they are."""

Row = tuple[str, str]
"""A metric and a split: one row of panels."""


def curves(found: Study, name: str, rows: list[Row], see: str, start: float = 0) -> None:
    """Show metrics over epochs: a figure a profile and protocol, a column an experiment, a row a metric.

    Lines are means over seeds, bands one standard deviation. ``see`` says what to look at. The vertical axes
    show all from epoch ``start`` on, given as a share of all epochs; the caption says so.
    """
    axes = f" The vertical axes are those of the epochs after the first {100 * start:.0f} %." if start else ""
    for profile, protocol, _ in found.parts():
        table = found.table.query("profile == @profile and protocol == @protocol")
        numbers = over_seeds(table.merge(pd.DataFrame(rows, columns=["metric", "split"])))
        if not (titles := panel_titles(found, profile, protocol, numbers)):
            continue
        figure = draw_curves(numbers, rows, titles, start)
        band = "mean over seeds, bands of one standard deviation"
        if any(ax.get_yscale() == "log" for ax in figure.axes):
            band += " (where the axis is logarithmic, as a factor)"
        words = band, "one seed, so no band"
        caption = f"{in_words(protocol).capitalize()}. {see}{axes} {_about(found, numbers, profile, *words)}"
        first, last = numbers.epoch.min(), numbers.epoch.max()
        alt = f"Curves over epochs {first} to {last} of {_alt(found, numbers, rows)}"
        fold = found.fold(profile, numbers.experiment.unique(), protocol)
        show(figure, slug(name, profile, protocol), caption, alt, numbers, fold)


def panel_titles(found: Study, profile: str, protocol: str, values: pd.DataFrame) -> list[str]:
    """Of the experiments that have values, in their order: records may be older than a metric."""
    return [panel_title(found, profile, e, protocol) for e in dict.fromkeys(values.experiment)]


def panel_title(found: Study, profile: str, experiment: str, protocol: str) -> str:
    """Experiment and protocol, in lines that fit above a panel, and below them whose records they are."""
    named = textwrap.fill(found.label(profile, experiment, protocol), 26)
    return f"{named}\n{source(found.profiles[profile])}"


def _room(titles: list[str]) -> float:
    """Inches above the panels that the titles take."""
    return 0.35 + 0.15 * max(title.count("\n") for title in titles)


def draw_curves(numbers: pd.DataFrame, rows: list[Row], titles: list[str], start: float = 0) -> Figure:
    """Draw a table like that of `over_seeds`, of one profile and protocol; a title for each column."""

    def draw(ax: Axes, part: pd.DataFrame, row: pd.DataFrame, metric: str) -> None:
        _panel(ax, part, start, METRICS[metric].log and spans_decades(row["mean"]))

    return _grid(numbers, rows, titles, draw, "epoch", bottom=0.95, gap=0.18, sharex="col")


def _grid(values, rows, titles, draw: Callable, xlabel: str, bottom: float, gap: float, sharex) -> Figure:
    """A row a metric and split, a column an experiment; ``draw`` fills a panel from its part of the row."""
    experiments = list(dict.fromkeys(values.experiment))
    size = (PANEL * max(len(experiments), 2), 1.5 * len(rows) + 0.35 + bottom)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(len(rows), len(experiments), figsize=size, squeeze=False, sharex=sharex)
        for (metric, split), line in zip(rows, axes, strict=True):
            row = values[(values.metric == metric) & (values.split == split)]
            for experiment, ax in zip(experiments, line, strict=True):
                draw(ax, row[row.experiment == experiment], row, metric)
                _end_at_one(ax, metric)
            _label(line[0], metric, split, {s for m, s in rows if m == metric})
        for top, last, title in zip(axes[0], axes[-1], titles, strict=True):
            top.set_title(title, y=1)
            last.set_xlabel(xlabel)
        _legend(figure, axes)
        arrange(figure, axes, left=1.0, bottom=bottom, top=_room(titles), gap=gap)
    return figure


def spans_decades(means: pd.Series) -> bool:
    """Whether means are all positive, and some of them more than thirty times larger than others."""
    means = means.dropna()
    return len(means) > 0 and means.min() > 0 and means.max() > 30 * means.min()


def _panel(ax: Axes, part: pd.DataFrame, start: float, log: bool) -> None:
    for architecture in [a for a in ARCHITECTURES if a in set(part.architecture)][::-1]:
        curve = part[part.architecture == architecture].sort_values("epoch")
        mean, std, colour = curve["mean"], curve["std"], COLOURS[architecture]
        style = {"color": colour, "linestyle": DASHES[architecture], "linewidth": 1.6}
        style |= {"marker": "."} if len(curve) <= FEW else {}
        ax.plot(curve.epoch, mean, label=ARCHITECTURES[architecture], **style)
        if std.notna().any():
            low, high = _band(mean, std, log)
            if curve.metric.iloc[0] in SHARES:
                high = high.clip(upper=1)
            ax.fill_between(curve.epoch, low, high, color=colour, alpha=0.2, linewidth=0)
    late = part[part.epoch >= start * part.epoch.max()]
    if start and len(late):
        low, high = _band(late["mean"], late["std"].fillna(0), log)
        low, high = low.min(), high.max()
        margin = 0.06 * (high - low) or 0.01
        ax.set_ylim(*((low / 1.3, high * 1.3) if log else (low - margin, high + margin)))
    ax.xaxis.set_major_locator(MaxNLocator("auto", steps=(1, 2, 5, 10), integer=True))
    if log:
        ax.set_yscale("log")
        log_ticks(ax.yaxis)


def _band(mean: pd.Series, std: pd.Series, log: bool) -> tuple[pd.Series, pd.Series]:
    """One standard deviation about means; on a logarithmic axis the lower end is as far as the upper one."""
    return (mean**2 / (mean + std) if log else mean - std), mean + std


def _end_at_one(ax: Axes, metric: str) -> None:
    """The axis of a share ends where shares do, but for room to see a line there."""
    low, high = ax.get_ylim()
    if metric in SHARES:
        ax.set_ylim(low, min(high, 1 + 0.03 * (high - low)))


def _label(ax: Axes, metric: str, split: str, splits: set[str]) -> None:
    """Metric, split and unit in two lines, of which the longer is as short as can be."""
    words = METRICS[metric]
    which = f"({split})" if len(splits) > 1 else ""
    ways = [f"{words.short} {which}", f"[{words.unit}]"], [words.short, f"{which} [{words.unit}]"]
    shorter = min(ways, key=lambda lines: max(map(len, lines)))
    ax.set_ylabel("\n".join(line.strip() for line in shorter))


def _legend(figure: Figure, axes) -> None:
    handles = {}
    for ax in axes.flat:
        handles |= dict(zip(*reversed(ax.get_legend_handles_labels()), strict=True))
    labels = [title for title in ARCHITECTURES.values() if title in handles]
    figure.legend([handles[x] for x in labels], labels, loc="lower center", ncols=2, columnspacing=1.5)


def _about(found: Study, numbers: pd.DataFrame, profile: str, several: str, single: str) -> str:
    """The end of a caption: which records and split, how many seeds and how they are drawn."""
    n = numbers.groupby(["experiment", "architecture"]).n.max()
    splits = " and ".join(f"{split}ing" if split == "train" else split for split in numbers.split.unique())
    return (
        f"{splits.capitalize()} points; {several if n.max() > 1 else single} (n = {n_seeds(n)}). "
        f"Records: {source(found.profiles[profile])}."
    )


def _alt(found: Study, numbers: pd.DataFrame, rows: list[Row]) -> str:
    """What is to be seen: which metrics, and where the first of them ends."""
    titles = ", ".join(dict.fromkeys(METRICS[metric].title for metric, _ in rows))
    said = [f"{titles}."]
    metric, split = rows[0]
    ends = numbers[(numbers.metric == metric) & (numbers.split == split)]
    for (profile, experiment), part in ends.groupby(["profile", "experiment"], sort=False):
        last = part[part.epoch == part.epoch.max()].set_index("architecture")["mean"]
        values = ", ".join(f"{ARCHITECTURES[a]} {last[a]:.3g}" for a in ARCHITECTURES if a in last.index)
        title = found.label(profile, experiment)
        said.append(f"{title}, {METRICS[metric].title} ({split}) at the end: {values}.")
    return " ".join(said)


def ends(found: Study, name: str, rows: list[Row], see: str) -> None:
    """Show where metrics end: a dot a seed, mean and standard deviation; panels as in `curves`."""
    for profile, protocol, _ in found.parts():
        table = last_epoch(found.table.query("profile == @profile and protocol == @protocol"))
        seeds = table.merge(pd.DataFrame(rows, columns=["metric", "split"]))
        if not (titles := panel_titles(found, profile, protocol, seeds)):
            continue
        figure = draw_ends(seeds, rows, titles)
        numbers = over_seeds(seeds)
        words = "dots are seeds, with their mean and standard deviation", "one seed"
        caption = f"{in_words(protocol).capitalize()}. {see} {_about(found, numbers, profile, *words)}"
        alt = f"Values after the last epoch, a dot a seed, of {_alt(found, numbers, rows)}"
        fold = found.fold(profile, numbers.experiment.unique(), protocol)
        show(figure, slug(name, profile, protocol), caption, alt, seeds, fold)


def draw_ends(seeds: pd.DataFrame, rows: list[Row], titles: list[str]) -> Figure:
    """Draw one value a seed; ``seeds`` has the columns of a study's table, a title for each experiment."""
    return _grid(seeds, rows, titles, lambda ax, part, *_: _dots(ax, part), "", 0.7, 0.2, sharex=True)


def _dots(ax: Axes, part: pd.DataFrame) -> None:
    for x, (architecture, title) in enumerate(ARCHITECTURES.items()):
        values, colour = part[part.architecture == architecture].value, COLOURS[architecture]
        if len(values):
            ax.plot([x - 0.16] * len(values), values, "o", color=colour, markersize=4, alpha=0.7)
            bar = {"yerr": values.std() if len(values) > 1 else None, "capsize": 3, "label": title}
            ax.errorbar(
                x + 0.12, values.mean(), **bar, fmt="_", color=colour, markersize=13, markeredgewidth=2
            )
    ax.set(xlim=(-0.6, len(ARCHITECTURES) - 0.4), xticks=[])
    ax.ticklabel_format(axis="y", useOffset=False)
    if (spread := np.ptp(part.value)) < 1e-3:  # of such values the labels are long
        reach = max(spread, 2e-4)
        ax.set_ylim(part.value.mean() - reach, part.value.mean() + reach)
        ax.locator_params(axis="y", nbins=3)


def run_curves(record: Record, name: str) -> None:
    """Show how one run learned: the terms of its loss, and its accuracy."""
    h = record.history
    minimised = record.final("loss", "train") != record.final("cross_entropy", "train")
    terms = ["epoch_loss", "loss", "cross_entropy", *["loss_bin"] * minimised]
    numbers = h[h.metric.isin([*terms, "epoch_accuracy", "accuracy"])]
    colour = COLOURS[record.run["configuration"]["architecture"]]
    lines = {
        "Loss [nats]": [
            ("epoch_loss", "train", "loss, in training", "0.6", "-"),
            ("cross_entropy", "train", "cross-entropy, train", colour, "-"),
            ("cross_entropy", "test", "cross-entropy, test", colour, (0, (2, 1))),
        ]
        + [("loss_bin", "train", "$L_{bin}$, train", "black", (0, (1, 1)))] * minimised,
        "Accuracy [share of points]": [
            ("epoch_accuracy", "train", "in training", "0.6", "-"),
            ("accuracy", "train", "train", colour, "-"),
            ("accuracy", "test", "test", colour, (0, (2, 1))),
        ],
    }
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 1, figsize=(2 * PANEL, 5.2), sharex=True, squeeze=False)
        for ax, (title, drawn) in zip(axes.flat, lines.items(), strict=True):
            for metric, split, label, shade, dashes in drawn:
                part = numbers[(numbers.metric == metric) & (numbers.split == split)].sort_values("epoch")
                ax.plot(part.epoch, part.value, label=label, color=shade, linestyle=dashes)
            ax.legend(fontsize=9, loc="lower left", bbox_to_anchor=(-0.02, 1), ncols=2)
            ax.set_ylabel(title)
        axes[0, 0].set_yscale("log")
        log_ticks(axes[0, 0].yaxis)
        axes[1, 0].set_xlabel("epoch")
        arrange(figure, axes, left=0.8, bottom=0.5, top=0.5, gap=0.6)
    last = {split: record.final("accuracy", split) for split in ("train", "test")}
    caption = (
        "How the run learned. 'In training' is the average over an epoch's batches, with dropout where it "
        "acts; the others are measured in evaluation mode after the epoch."
    )
    if minimised:
        gamma = number(record.run["configuration"]["experiment"]["gamma"])
        caption += f" The loss in training is the cross-entropy plus γ $L_{{bin}}$, so at least γ = {gamma}."
    alt = (
        f"Curves over epochs 0 to {numbers.epoch.max()} of loss and accuracy. At the end the cross-entropy "
        f"on the training points is {record.final('cross_entropy', 'train'):.3g}, the accuracy "
        f"{share(last['train'])} on training and {share(last['test'])} on test points."
    )
    show(figure, name, caption, alt, numbers)
