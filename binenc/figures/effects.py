"""Effects with their intervals, a figure a claim; and what single differences of the protocols do."""

import itertools
import math
import textwrap

import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import Markdown, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from binenc.claims.effect import Effect
from binenc.claims.judging import effects_frame, known
from binenc.claims.pages import claim_markdown
from binenc.claims.switches import HEADLINES, ordered
from binenc.claims.verdict import Verdict
from binenc.figures.style import PANEL, STYLE, log_ticks, show, slug
from binenc.protocol import in_words
from binenc.text.words import percentage_points

MARKS = {"as_written": ("o", "#1b1b1b", "#1b1b1b"), "as_released": ("s", "#6a6a6a", "#ffffff")}
"""Marker, colour and filling of a protocol."""
WIDE = 5
"""Percentage points beyond which a linear axis would hide what happens near 0."""


def show_claim(judged: list[Verdict], name: str) -> None:
    """Show one claim: words, test, table, and a figure of its effects where they have intervals.

    Raises
    ------
    InputError
        If there is no claim with this slug.
    """
    number = known(name).number
    display(Markdown(claim_markdown(judged, name)))
    mine = [v for v in judged if v.claim.slug == name]
    drawn = [v for v in mine if any(not e.exact and not math.isnan(e.interval.mean) for e in v.effects)]
    if not drawn:
        return
    numbers = effects_frame(drawn)
    least = "; ".join(f"{v.where}: {v.weakest.name} {v.weakest}" for v in drawn)
    caption = (
        f"Claim {number}, effects over seeds with 95 % intervals: {_protocols(drawn)}. A dashed line is the "
        "bound that the claim sets; rows without one are for information and do not decide. Each panel has "
        "its own axis; an interval shorter than its mark does not show, and one seed has none. "
        f"Records: {', '.join(dict.fromkeys(v.source for v in drawn))}."
    )
    file = slug("claim", number, *dict.fromkeys(v.profile for v in drawn))
    show(forest(drawn), file, caption, f"Effects with intervals. Weakest: {least}.", numbers)


def _protocols(drawn: list[Verdict]) -> str:
    words = {"as_written": "filled circles as written", "as_released": "open squares as released"}
    names = dict.fromkeys(v.protocol for v in drawn)
    return ", ".join(words.get(name, in_words(name)) for name in names)


def forest(drawn: list[Verdict]) -> Figure:
    """Draw effects: a panel a verdict and unit, two side by side, a line an effect."""
    columns = {(v.profile, v.where): f"{textwrap.fill(v.where, 30)}\n{v.source}" for v in drawn}
    across = min(len(columns), 2)
    units: dict[tuple[str, bool], dict[str, None]] = {}
    for v in drawn:
        for e in v.effects:
            units.setdefault((e.unit, e.ratio), {})[label(e)] = None
    heights = [0.45 * len(names) + 0.7 for names in units.values()]
    keys = list(columns)
    blocks = [keys[i : i + across] for i in range(0, len(keys), across)]
    heights *= len(blocks)
    size = (PANEL * across + 2.4, sum(heights) + 0.6 * len(blocks))
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(
            len(heights),
            across,
            figsize=size,
            squeeze=False,
            sharey="row",
            height_ratios=heights,
            layout="constrained",
        )
        rows = itertools.product(blocks, units.items())
        for (block, ((unit, ratio), names)), line in zip(rows, axes, strict=True):
            for ax in line[len(block) :]:
                ax.remove()
            for key, ax in zip(block, line, strict=False):
                for v in (v for v in drawn if (v.profile, v.where) == key):
                    for e in v.effects:
                        if (e.unit, e.ratio) == (unit, ratio):
                            _mark(ax, e, list(names).index(label(e)), v.protocol)
                ax.set_yticks(range(len(names)), names)
                ax.set_ylim(len(names) - 0.4, -0.6)
                ax.set_xlabel(unit)
                if unit.startswith("share of"):  # the axis ends where shares do, with room for a mark
                    low, high = ax.get_xlim()
                    ax.set_xlim(low, min(high, 1 + 0.04 * (high - low)))
                _ticks(ax, [x for curve in ax.lines for x in curve.get_xdata()] if ratio else ())
        for block, line in zip(blocks, axes[:: len(units)], strict=True):
            for key, ax in zip(block, line, strict=False):
                ax.set_title(columns[key])
    return figure


def label(e: Effect) -> str:
    """An effect's name and what is claimed of it, in lines that leave room for the panels."""
    claimed = f"[{e.claimed}]".replace(" ", "\N{NO-BREAK SPACE}") if e.decides else "(for information)"
    return textwrap.fill(f"{e.name} {claimed}", 34)


def _ticks(ax: Axes, values) -> None:
    """Few ticks, and a logarithmic axis where positive values span more than a decade."""
    if len(values) and min(values) > 0 and max(values) > 10 * min(values):
        ax.set_xscale("log")
        log_ticks(ax.xaxis)
    else:
        ax.locator_params(axis="x", nbins=5)


def _mark(ax: Axes, e: Effect, y: float, protocol: str) -> None:
    mean, low, high = e.shown
    marker, colour, filling = MARKS.get(protocol, ("d", "#9a9a9a", "#9a9a9a"))
    if math.isnan(mean):
        box = {"facecolor": "#ffffff", "edgecolor": "none", "pad": 1}
        at = {"transform": ax.get_yaxis_transform(), "ha": "center", "va": "center"}
        ax.text(0.5, y, "not defined", fontsize=9, bbox=box, **at)
    else:
        ax.plot(mean, y, marker, color=colour, markerfacecolor=filling, markersize=6, zorder=3)
    if not math.isnan(low):
        ax.plot([low, high], [y, y], "-", color=colour, linewidth=1.6, zorder=2)
    for bound in (e.above, e.below) if e.decides else ():
        if math.isfinite(bound):
            at = math.exp(bound) if e.ratio else bound
            ax.plot([at, at], [y - 0.45, y + 0.45], "--", color="#b03a2e", linewidth=1.1, zorder=1)


def show_switches(numbers: pd.DataFrame, title: str, seed: int) -> None:
    """Show headline numbers of one experiment; parameters as for `draw_switches`."""
    name = slug("switches-figure", *numbers[["profile", "experiment"]].iloc[0])
    line = f"; dashed: seed {seed} as written" if _as_written(numbers, seed).any() else ""
    leads = numbers[numbers.number.str.endswith("_gap")].value
    scale = " Leads: linear within ± 1, logarithmic beyond." if leads.abs().max() > WIDE else ""
    caption = f"Headline numbers by protocol. Filled: seed {seed}; open: other seeds{line}. {title}.{scale}"
    mine = numbers[(numbers.seed == seed) & (numbers.number == "test_gap")].dropna()
    said = "; ".join(f"{in_words(row.protocol)} {percentage_points(row.value)}" for row in mine.itertuples())
    alt = f"Four panels of dots by protocol. Lead in test accuracy in percentage points, seed {seed}: {said}."
    show(draw_switches(numbers, seed), name, caption, alt, numbers)


def draw_switches(numbers: pd.DataFrame, seed: int) -> Figure:
    """Draw headline numbers by protocol: a panel a number, a line a protocol, a mark a seed.

    ``numbers`` has the columns protocol, seed, number, value.
    The given seed is the filled mark; its value as written, the dashed line.
    """
    names = ordered(numbers.protocol)
    size = (PANEL * 2 + 2.4, (0.3 * len(names) + 0.9) * 2)
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=size, sharey=True, layout="constrained")
        for (number, h), ax in zip(HEADLINES.items(), axes.flat, strict=True):
            part = numbers[numbers.number == number].dropna()
            y = part.protocol.map(names.index)
            mine = part.seed == seed
            others = {"color": "#6a6a6a", "markerfacecolor": "#ffffff", "markersize": 5}
            ax.plot(part.value[~mine], y[~mine], "o", **others)
            ax.plot(part.value[mine], y[mine], "o", color="#1b1b1b", markersize=6)
            for value in part.value[_as_written(part, seed)]:
                ax.axvline(value, color="#b03a2e", linestyle="--", linewidth=1)
            if h.log:
                _ticks(ax, part.value)
            elif part.value.abs().max() > WIDE:
                ax.set_xscale("symlog", linthresh=1)
                ax.margins(x=0.08)
                low, high = ax.get_xlim()
                ax.set_xticks([x for x in (-10, -1, 0, 1, 10) if low <= x <= high])
                ax.xaxis.set_major_formatter("{x:g}")
            ax.set_yticks(range(len(names)), [name.replace("as_written,", "") for name in names])
            ax.set_ylim(len(names) - 0.4, -0.6)
            ax.set_title(h.title.replace(", ", ",\n"))
            ax.set_xlabel(h.unit)
    return figure


def _as_written(numbers: pd.DataFrame, seed: int) -> pd.Series:
    """Which rows are values of this seed as written."""
    return (numbers.protocol == "as_written") & (numbers.seed == seed) & numbers.value.notna()
