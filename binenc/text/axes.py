"""What puts class means at vertices of a hypercube, and on whose axes, out of records."""

import math
import re
from collections import Counter
from collections.abc import Iterator

import pandas as pd

from binenc.study import GROUP, Study, over_seeds
from binenc.text.hypercube import geometry_of, simplex_on_a_cube
from binenc.text.prose import final, loss_range
from binenc.text.words import n_seeds, plus_minus

BESIDE = {"code_share": "train", "gain": "train", "tr_sw_sb": "train", "loss": "train", "accuracy": "test"}
"""What is told beside the axes, and of which points."""

DESCENT, ROTATED = r"classifier_sgd=[^,]*[1-9][^,]*", "classifier_rotated=true"
"""Changes of an experiment: gradient descent trains the classifier, and it sees latents rotated."""
SQUARE = "loss_bin=mean_square"
"""A change of a protocol: the loss is without its exponential."""


def beyond(found: Study, changed: Study) -> str:
    """What no claim asks of codes and class means, as Markdown items, each with its first case.

    ``changed`` is the same study with experiments and protocols of which a field was changed.
    """
    changed = changed.only("binary_encoding", "linear_penultimate")
    geometry = geometry_of(changed)
    tested = (tell(changed, geometry, 1) for tell in (without_exponential, whose, needed))
    return "\n".join(filter(None, [simplex_on_a_cube(changed, geometry), loss_range(found), *tested]))


def values(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """The geometry and what of ``BESIDE`` is recorded, over seeds: the columns of `over_seeds`."""
    recorded = [final(found, metric, split) for metric, split in BESIDE.items()]
    return pd.concat([over_seeds(geometry), *recorded])


def _pairs(found: Study, geometry: pd.DataFrame, change: str) -> Iterator[tuple]:
    """Title, numbers with such a change, numbers without, of each case in which binary encoding has both.

    Numbers are mean, std and n, by architecture and metric. Left out is the reading of the loss that itself
    tells axes apart.
    """
    groups = values(found, geometry).groupby(GROUP, sort=False)
    known = {case: part.set_index(["architecture", "metric"])[["mean", "std", "n"]] for case, part in groups}
    for (profile, experiment, protocol), changed in known.items():
        base = tuple(re.sub(f",{change}(?=,|$)", "", name) for name in (experiment, protocol))
        plain = known.get((profile, *base))
        if base == (experiment, protocol) or plain is None or "mean_of_exp" in protocol:
            continue
        if all(("binary_encoding", "rotated") in part.index for part in (changed, plain)):
            yield found.title(profile, *base), changed, plain


def _counted(told: Counter) -> str:
    """What is told of cases, with the number of them where there are several."""
    n = told.total()
    return "; ".join(f"{words} ({k} of {n} cases)" if n > 1 else words for words, k in told.most_common())


def without_exponential(found: Study, geometry: pd.DataFrame, most: int | None = None) -> str:
    """What is left of the codes where the loss is 1 + x² in the place of exp(x²): an item, or nothing.

    The numbers of at ``most`` so many cases are told.
    """
    told, items = Counter(), []
    for title, *parts in _pairs(found, geometry, SQUARE):
        square, plain = (part.loc["binary_encoding"] for part in parts)
        told[_left(_alignment(plain), {"the exponential": _alignment(square)})] += 1
        off, shared, right, collapse = (
            f"{plus_minus(*square.loc[metric])} ({plus_minus(*plain.loc[metric])})"
            for metric in ("off_own", "code_share", "accuracy", "tr_sw_sb")
        )
        n = n_seeds([part.loc["code_share", "n"] for part in (square, plain)])
        items.append(
            f"*{title}*: class means are off their vertices by {off}; {shared} of the training points have "
            f"the most common code of their class; the test accuracy is {right}, Tr(Sw Sb⁺)/C {collapse} "
            f"(n = {n})."
        )
    if not items:
        return ""
    return (
        f"- **Without the exponential**: {_counted(told)}. Alignment is how much nearer to vertices class "
        f"means are than rotated at random. With `{SQUARE}`, 1 + x² in the place of exp(x²), and in "
        f"parentheses with the exponential: {' '.join(items[:most])}"
    )


def needed(found: Study, geometry: pd.DataFrame, most: int | None = None) -> str:
    """What is left of the codes without Adam in the classifier, and without the loss: an item, or nothing.

    Without Adam: gradient descent trains the classifier. Without the loss: a linear penultimate layer. Most
    is gone where class means are nearer to their vertices than rotated ones by less than half as much. The
    numbers of at ``most`` so many cases are told.
    """
    told, items, without_loss = Counter(), [], False
    for title, descent, adam in _pairs(found, geometry, DESCENT):
        parts = [adam.loc["binary_encoding"], descent.loc["binary_encoding"]]
        without = {}
        if ("linear_penultimate", "rotated") in adam.index:
            parts.append(adam.loc["linear_penultimate"])
            without["the binary loss"] = _alignment(parts[2])
            without_loss = True
        without["Adam in the classifier"] = _alignment(parts[1])
        told[_left(_alignment(parts[0]), without)] += 1
        off = [plus_minus(*part.loc["off_own"]) for part in parts]
        random = plus_minus(*parts[0].loc["rotated"])
        n = n_seeds([part.loc["rotated", "n"] for part in parts[:2]])
        items.append(f"*{title}*: by {', by '.join(off)} (rotated at random {random}; n = {n}).")
    if not items:
        return ""
    third = ", and with Adam but without the binary loss (linear penultimate)" if without_loss else ""
    return (
        f"- **What it takes to put class means at vertices**: {_counted(told)}. Alignment is how much nearer "
        "to vertices they are than rotated at random. The binary loss by itself does not say at which: it "
        "stays the same however latents are rotated, while codes are read off the axes. Class means are off "
        "their vertices where Adam trains all weights, where gradient descent, from the same initial "
        "weights, with momentum and at a constant rate of its own, trains those of the "
        f"classifier{third}: {' '.join(items[:most])}"
    )


def whose(found: Study, geometry: pd.DataFrame, most: int | None = None) -> str:
    """Whose axes the codes are on, where the classifier sees latents rotated: an item, or nothing.

    The numbers of at ``most`` so many cases are told.
    """
    told, items = Counter(), []
    for title, *parts in _pairs(found, geometry, ROTATED):
        rotated, plain = (part.loc["binary_encoding"] for part in parts)
        told[_whose(plain["mean"], rotated["mean"])] += 1
        own, seen, random, own_share, seen_share = (
            plus_minus(*rotated.loc[metric])
            for metric in ("off_own", "off_seen", "rotated", "share_own", "share_seen")
        )
        off, shared = (plus_minus(*plain.loc[metric]) for metric in ("off_own", "share_own"))
        right, collapse = (
            " and ".join(plus_minus(*part.loc[metric]) for part in (rotated, plain))
            for metric in ("accuracy", "tr_sw_sb")
        )
        n = n_seeds([part.loc["code_share", "n"] for part in (rotated, plain)])
        items.append(
            f"*{title}*: class means are off by {own} on the axes of the latents (rotated at random "
            f"{random}) and by {seen} on those that the classifier sees (without the rotation {off}); "
            f"{own_share} and {seen_share} ({shared}) of a sample of test points share their label's code. "
            f"With and without the rotation the test accuracy is {right}, Tr(Sw Sb⁺)/C {collapse} (n = {n})."
        )
    if not items:
        return ""
    return (
        f"- **Whose axes the codes are on**: {_counted(told)}. A random rotation is put between latents and "
        "classifier and stays as it is. The first weights undo it, so that both networks start as the same "
        "function; the binary loss cannot tell; all that differs is along which axes Adam steps in the "
        "classifier. How far class means are off vertices is in units of half the distance between a "
        "latent's two values; rotated at random is how far they are on axes without a meaning. "
        f"{' '.join(items[:most])}"
    )


def _alignment(part: pd.DataFrame) -> float:
    """How much nearer to vertices class means are than rotated at random, of one architecture's numbers."""
    return part.loc["rotated", "mean"] - part.loc["off_own", "mean"]


def _left(whole: float, without: dict[str, float]) -> str:
    """What is left of the alignment, of how much nearer to vertices class means are than rotated at random,
    without what is named.
    """
    if any(math.isnan(gain) for gain in (whole, *without.values())):
        return "how far class means are from vertices is not defined in some seed"
    if whole <= 0:
        return "class means are no nearer to vertices than rotated at random"
    gone = [words for words, gain in without.items() if gain < whole / 2]
    if not gone:
        return "most of the alignment is left"
    return f"without {' or without '.join(gone)} most of the alignment is gone"


def _whose(plain: pd.Series, turned: pd.Series) -> str:
    """The axes on which at least half of the alignment is that there is without the rotation."""
    alignment = plain["rotated"] - plain["off_own"]
    own, seen = turned["rotated"] - turned[["off_own", "off_seen"]]
    if any(math.isnan(gain) for gain in (alignment, own, seen)):
        return "how far class means are from vertices is not defined in some seed"
    if alignment <= 0:
        return "class means are no nearer to vertices than rotated at random"
    named = (own, "the latents'"), (seen, "the classifier's")
    return " and ".join(words for gain, words in named if gain >= alignment / 2) or "neither's"
