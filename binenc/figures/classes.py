"""How each class fares: a dot a seed for its whole-code share, and for its accuracy."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binenc.figures.curves import panel_titles
from binenc.figures.style import COLOURS, PANEL, STYLE, show, slug
from binenc.protocol import in_words
from binenc.study import Study, source


def by_class(found: Study, values: pd.DataFrame, name: str) -> None:
    """Show whole-code share and accuracy of each class, as `classes_of` has them: a panel an experiment."""
    for profile, protocol, _ in found.parts():
        part = values.query("profile == @profile and protocol == @protocol")
        if part.empty:
            continue
        figure = draw_classes(part, panel_titles(found, profile, protocol, part))
        caption = (
            f"{in_words(protocol).capitalize()}. Under binary encoding, by class, after the last epoch: "
            "filled circles, the share of test points that have the most common code of their class; open "
            "squares, the share that the network classifies right. One mark per seed. "
            f"Records: {source(found.profiles[profile])}."
        )
        least = [
            f"{found.label(profile, e)}: {of.groupby('class').code_share.mean().idxmin()}"
            for e, of in part.groupby("experiment", sort=False)
        ]
        alt = f"Marks by class. The class whose points share a code least, {'; '.join(least)}."
        fold = found.fold(profile, part.experiment.unique(), protocol)
        show(figure, slug(name, profile, protocol), caption, alt, part, fold)


def draw_classes(values: pd.DataFrame, titles: list[str]) -> Figure:
    """Draw a table like that of `classes_of`, of one profile and protocol; a title for each experiment."""
    parts = [part for _, part in values.groupby("experiment", sort=False)]
    across = min(len(parts), 2)
    rows = -(-len(parts) // across)
    most = max(part["class"].nunique() for part in parts)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            rows,
            across,
            figsize=(across * PANEL + 1, (0.2 * most + 1.1) * rows),
            squeeze=False,
            layout="constrained",
        )
        for ax in axes.flat[len(parts) :]:
            ax.remove()
        for part, title, ax in zip(parts, titles, axes.flat, strict=False):
            _marks(ax, part)
            ax.set_title(title)
    return figure


def _marks(ax: Axes, part: pd.DataFrame) -> None:
    names = list(dict.fromkeys(part["class"]))
    y = part["class"].map(names.index)
    ax.plot(part.accuracy, y - 0.15, "s", color="#6a6a6a", markerfacecolor="#ffffff", markersize=4)
    ax.plot(part.code_share, y + 0.15, "o", color=COLOURS["binary_encoding"], markersize=4, alpha=0.8)
    ax.set_yticks(range(len(names)), names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.set(ylabel="class", xlabel="share of points")
    ax.locator_params(axis="x", nbins=5)
