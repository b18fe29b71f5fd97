"""What puts class means at vertices of a hypercube, and on whose axes, out of records."""

import math
import re
from collections import Counter
from collections.abc import Iterator

import pandas as pd

from binenc.study import GROUP, Study, over_seeds
from binenc.text.hypercube import geometry_of, simplex_on_a_cube
from binenc.text.prose import final
from binenc.text.words import n_seeds, plus_minus

BESIDE = {"code_share": "train", "gain": "train", "tr_sw_sb": "train", "loss": "train", "accuracy": "test"}
"""What is told beside the axes, and of which points."""


def beyond(found: Study) -> str:
    """What no claim asks of codes and class means, as Markdown items."""
    geometry = geometry_of(found := found.only("binary_encoding", "linear_penultimate"))
    items = simplex_on_a_cube(found, geometry), whose(found, geometry), needed(found, geometry)
    return "\n".join(filter(None, items))


def values(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """The geometry and what of ``BESIDE`` is recorded, over seeds: the columns of `over_seeds`."""
    recorded = [final(found, metric, split) for metric, split in BESIDE.items()]
    return pd.concat([over_seeds(geometry), *recorded])


def _cases(found: Study, geometry: pd.DataFrame, change: str) -> Iterator[tuple]:
    """Title, numbers with such a change, numbers without, of each case in which binary encoding has both.

    Numbers are mean, std and n, by architecture and metric.
    """
    groups = values(found, geometry).groupby(GROUP, sort=False)
    known = {case: part.set_index(["architecture", "metric"])[["mean", "std", "n"]] for case, part in groups}
    for (profile, experiment, protocol), changed in known.items():
        name, _, made = experiment.partition(",")
        plain = known.get((profile, name, protocol))
        if plain is None or not re.fullmatch(change, made):
            continue
        if all(("binary_encoding", "rotated") in part.index for part in (changed, plain)):
            yield found.title(profile, name, protocol), changed, plain


def _counted(told: Counter) -> str:
    """What is told of cases, with the number of them where there are several."""
    n = told.total()
    return "; ".join(f"{words} ({k} of {n} cases)" if n > 1 else words for words, k in told.most_common())


def needed(found: Study, geometry: pd.DataFrame) -> str:
    """What is left of the codes without Adam in the classifier, and without the loss: an item, or nothing.

    Without Adam: gradient descent trains the classifier. Without the loss: a linear penultimate layer. Most
    is gone where class means are nearer to their vertices than rotated ones by less than half as much.
    """
    told, items, without_loss = Counter(), [], False
    for title, descent, adam in _cases(found, geometry, r"classifier_sgd=[^,]+"):
        parts = [adam.loc["binary_encoding"], descent.loc["binary_encoding"]]
        if ("linear_penultimate", "rotated") in adam.index:
            parts.append(adam.loc["linear_penultimate"])
            without_loss = True
        share, spread = parts[1].loc["code_share", ["mean", "std"]]
        gains = (part.loc["rotated", "mean"] - part.loc["off_vertices", "mean"] for part in parts)
        told[_left(*gains, shared=share - spread > 0.5)] += 1
        off = [plus_minus(*part.loc["off_vertices"]) for part in parts]
        random = plus_minus(*parts[0].loc["rotated"])
        n = n_seeds([part.loc["rotated", "n"] for part in parts[:2]])
        items.append(f"*{title}*: by {', by '.join(off)} (rotated at random {random}; n = {n}).")
    if not items:
        return ""
    third = ", and with Adam but without the binary loss (linear penultimate)" if without_loss else ""
    return (
        f"- **What class means at vertices take**: {_counted(told)}. The binary loss by itself does not say "
        "at which: it stays the same however latents are rotated, while codes are read off the axes. Class "
        "means are off their vertices where Adam trains all weights, where gradient descent, from the same "
        "initial weights, with momentum and at a constant rate of its own, trains those of the "
        f"classifier{third}: {' '.join(items)}"
    )


def whose(found: Study, geometry: pd.DataFrame) -> str:
    """Whose axes the codes are on, where the classifier sees latents rotated: an item, or nothing."""
    told, items = Counter(), []
    for title, rotated, plain in _cases(found, geometry, "classifier_rotated=true"):
        turned, plain = (part.loc["binary_encoding"] for part in (rotated, plain))
        told[_whose(plain["mean"], turned["mean"])] += 1
        own, seen, random = (
            plus_minus(*turned.loc[metric]) for metric in ("off_vertices", "off_seen", "rotated")
        )
        shared, right = (
            " and ".join(plus_minus(*part.loc[metric]) for part in (turned, plain))
            for metric in ("code_share", "accuracy")
        )
        n = n_seeds([part.loc["code_share", "n"] for part in (turned, plain)])
        items.append(
            f"*{title}*: by {own} and {seen} (rotated at random {random}, without the rotation "
            f"{plus_minus(*plain.loc['off_vertices'])}); with and without it the whole-code share is "
            f"{shared}, the test accuracy {right} (n = {n})."
        )
    if not items:
        return ""
    return (
        f"- **Whose axes the codes are on**: {_counted(told)}. A random rotation is put between latents and "
        "classifier and stays as it is; Adam trains both as before, and the binary loss cannot tell. Class "
        "means are then off their vertices on the axes of the latents and on those that the classifier sees "
        "(in units of half the distance between a latent's two values: 0 at vertices; rotated at random is "
        f"what axes have that mean nothing): {' '.join(items)}"
    )


def _left(adam: float, descent: float, no_loss: float | None = None, *, shared: bool) -> str:
    """What is left of the alignment: of how much nearer to vertices class means are than rotated ones."""
    if any(gain is not None and math.isnan(gain) for gain in (adam, descent, no_loss)):
        return "how far class means are from vertices is not defined in some seed"
    if adam <= 0:
        return "class means are no nearer to vertices than rotated at random"
    named = (no_loss, "the binary loss"), (descent, "Adam in the classifier")
    gone = [words for gain, words in named if gain is not None and gain < adam / 2]
    if not gone:
        return "most of the alignment is left"
    still = (
        ", though most points share their class's code without it" if shared and descent < adam / 2 else ""
    )
    return f"without {' or without '.join(gone)} most of the alignment is gone{still}"


def _whose(plain: pd.Series, turned: pd.Series) -> str:
    """The axes on which at least half of the alignment is that there is without the rotation."""
    alignment = plain["rotated"] - plain["off_vertices"]
    own, seen = turned["rotated"] - turned[["off_vertices", "off_seen"]]
    if any(math.isnan(gain) for gain in (alignment, own, seen)):
        return "how far class means are from vertices is not defined in some seed"
    if alignment <= 0:
        return "class means are no nearer to vertices than rotated at random"
    named = (own, "the latents'"), (seen, "the classifier's")
    return " and ".join(words for gain, words in named if gain >= alignment / 2) or "neither's"
