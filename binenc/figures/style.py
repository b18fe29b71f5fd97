"""One style, one colour an architecture; what is shown is saved as SVG, PDF and CSV."""

import hashlib
import json
import math
import os
import re
from html import escape
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullFormatter
from matplotlib.transforms import blended_transform_factory

from binenc.profile import ARCHITECTURES, ROOT
from binenc.text.words import markdown_table

PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
COLOURS = dict(zip(ARCHITECTURES, PALETTE, strict=False))
"""Okabe and Ito's colour-blind safe palette; enough for three architectures more."""

PATTERNS = (
    "-",
    (0, (5, 1.5)),
    (0, (3, 1, 1, 1)),
    (0, (1.5, 0.7)),
    (0, (7, 3)),
    (0, (5, 1, 1, 1)),
    (0, (2, 2)),
)
DASHES = dict(zip(ARCHITECTURES, PATTERNS, strict=False))
"""So that architectures are told apart without any colour."""

STYLE = {
    "svg.fonttype": "none",
    "svg.hashsalt": "binenc",
    "font.sans-serif": ["DejaVu Sans", "Arial"],
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "legend.frameon": False,
    "font.size": 10,
    "axes.titlesize": 10,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}

FAMILY = "font-family: 'DejaVu Sans', 'Arial', sans-serif; "
"""As matplotlib writes ``font.sans-serif`` at every word."""
LINES = "stroke-linejoin: round; stroke-linecap: butt"
"""What matplotlib makes the rule of all elements."""

SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

PANEL = 2.75
"""Width of a panel in inches: two side by side, the width of most figures, can still be read on a phone; a
wider figure scrolls there.
"""


def slug(*words: object) -> str:
    """A name for a figure, out of names of profiles, protocols, runs: letters, digits and hyphens.

    A file's name may have 255 bytes: of a longer name the end becomes its hash.
    """
    # Two numbers have two names: 0.1 is not 0-1, nor 1e+1 1e-1.
    text = " ".join(map(str, words)).lower().replace(".", "p").replace("+", "")
    name = re.sub(r"[^a-z0-9]+", "-", text).strip("-")
    return name if len(name) <= 200 else f"{name[:190]}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def folder() -> Path:
    """Where figures are saved: ``BINENC_FIGURES``, or ``_build/lab``, which no report takes them from."""
    path = Path(os.environ.get("BINENC_FIGURES") or ROOT / "_build/lab")
    path.mkdir(parents=True, exist_ok=True)
    return path


def arrange(figure: Figure, axes, left: float, bottom: float, top: float, gap: float) -> None:
    """Set margins and the gap between rows, in inches, and pin the labels to the figure's edge.

    Known beforehand, nothing must be found by drawing the figure once more, which takes most of the time.
    """
    width, height = figure.get_size_inches()
    row = (height - top - bottom - gap * (len(axes) - 1)) / len(axes)
    edges = {"left": left / width, "right": 1 - 0.1 / width}
    edges |= {"bottom": bottom / height, "top": 1 - top / height}
    figure.subplots_adjust(**edges, wspace=0.32, hspace=gap / row)
    for ax in axes.flat:
        below = blended_transform_factory(ax.transAxes, figure.transFigure)
        across = blended_transform_factory(figure.transFigure, ax.transAxes)
        at = ax.get_position()
        ax.xaxis.set_label_coords(0.5, at.y0 - 0.24 / height, transform=below)
        ax.yaxis.set_label_coords(at.x0 - (left - 0.4) / width, 0.5, transform=across)


def show(figure: Figure, name: str, caption: str, alt: str, numbers: pd.DataFrame, fold: str = "") -> None:
    """Save a figure as ``name``.svg, .pdf and .csv and display it, numbered and captioned in the book.

    There it is folded, under the title ``fold``, if that is given.
    """
    svg = save_pictures(figure, folder() / name)
    save_numbers(numbers, name)
    links = " · ".join(
        f"{{download}}`{end.upper()} </figures/{name}.{end}>`" for end in ("svg", "pdf", "csv")
    )
    wide = ":figclass: wide\n" if figure.get_figwidth() > 2 * PANEL else ""
    book = (
        f"```{{figure}} /figures/{name}.svg\n:name: fig-{name}\n{wide}"
        f":alt: {json.dumps(alt, ensure_ascii=False)}\n\n{caption}\n\n{links}\n```"
    )
    if fold:
        book = f"::::{{dropdown}} {fold}\n:class-container: fold\n\n{book}\n::::"
    lab = (
        f'<div role="img" aria-label="{escape(alt)}">{svg[svg.index("<svg") :]}</div><p>{escape(caption)}</p>'
    )
    display({"text/markdown": book, "text/html": lab}, raw=True)


def save_pictures(figure: Figure, path: Path) -> str:
    """Save a figure as ``path``.svg and .pdf, close it, and return the SVG.

    Each takes as long to draw, so a PDF whose last line, a comment, names the same SVG stays.
    """
    svg, pdf = (path.with_name(f"{path.name}.{end}") for end in ("svg", "pdf"))
    with plt.rc_context(STYLE):
        if layout := figure.get_layout_engine():  # once, not again for each format
            layout.execute(figure)
            figure.set_layout_engine("none")
        figure.savefig(svg, metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
        drawn = svg.read_text()
        made_by = f"{matplotlib.__version__} {STYLE} {drawn}"
        same = f"%{hashlib.sha256(made_by.encode()).hexdigest()}\n".encode()
        if not (pdf.exists() and pdf.read_bytes().endswith(same)):
            figure.savefig(pdf, metadata={"CreationDate": None})
            with pdf.open("ab") as file:
                file.write(same)
    plt.close(figure)
    svg.write_text(made := small(drawn))
    return made


def short(path: str) -> str:
    """A path with coordinates to a tenth, and of lines along an axis only the coordinate that changes."""
    place, commands = (None, None), []
    for command, numbers in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", re.sub(r"(\.\d)\d+", r"\1", path)):
        at = tuple(numbers.split())
        if command == "L" and at[1] == place[1]:
            commands.append(f"H{at[0]}")
        elif command == "L" and at[0] == place[0]:
            commands.append(f"V{at[1]}")
        else:
            commands.append(command + " ".join(at))
        place = at if command in "ML" else (None, None)
    return "".join(commands)


def small(svg: str) -> str:
    """The same picture in a third of the text.

    Coordinates go to a tenth of a point, which no one sees; names that nothing refers to, the family of the
    font at each word, rotations by nothing, comments and line breaks go. A rule for all elements, which in a
    page would be one for all of the page, from each of its pictures, becomes a style of the picture.
    """
    svg = re.sub(r' (x|y)="(-?\d+\.\d)\d+"', r' \1="\2"', svg)
    svg = re.sub(r' d="([^"]+)"', lambda found: f' d="{short(found[1])}"', svg)
    used = set(re.findall(r"#([\w.-]+)", svg))
    svg = re.sub(r' id="([^"]+)"', lambda found: found[0] if found[1] in used else "", svg)
    svg = svg.replace(FAMILY, "").replace("<svg ", f'<svg style="{FAMILY}{LINES}" ', 1)
    svg = re.sub(r'<!--.*?-->\s*| transform="rotate\(-?0 [^"]*"|(?<=>)\s+(?=<)', "", svg, flags=re.S)
    return svg.replace(f'<defs><style type="text/css">*{{{LINES}}}</style></defs>', "", 1)


def power_of_ten(value: float, _=None) -> str:
    """``10⁻²``: as a formula, matplotlib parses it anew for each file, for longer than it draws the axis."""
    return "10" + str(round(math.log10(value))).translate(SUPERSCRIPT)


def log_ticks(axis: Axis) -> None:
    """Labels of a logarithmic axis: more than one, and so few that they do not overlap."""
    low, high = axis.get_view_interval()
    axis.set_minor_formatter(NullFormatter())
    if high < 300 * low:
        axis.set_major_locator(LogLocator(subs=(1, 3) if high > 20 * low else (1, 2, 5)))
        axis.set_major_formatter("{x:g}")
    else:
        axis.set_major_locator(LogLocator(numticks=5))
        axis.set_major_formatter(power_of_ten)


def table(frame: pd.DataFrame, name: str, caption: str) -> None:
    """Display a table of text, numbered and captioned in the book, and save it as ``name``.csv."""
    save_numbers(frame, name)
    lines = markdown_table(frame.columns, frame.itertuples(index=False))
    link = f"{{download}}`CSV </figures/{name}.csv>`"
    book = f":::{{table}} {caption} {link}\n:name: tab-{name}\n\n{lines}\n:::"
    lab = f"{frame.to_html(index=False)}<p>{escape(caption)}</p>"
    display({"text/markdown": book, "text/html": lab}, raw=True)


def save_numbers(numbers: pd.DataFrame, name: str) -> None:
    """Six significant digits: what a figure can show, and a tenth of the size."""
    numbers.to_csv(folder() / f"{name}.csv", index=False, float_format="%.6g")
