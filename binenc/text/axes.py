"""What puts class means at vertices of a hypercube, and on whose axes, out of records."""

import math
import re
from collections import Counter
from collections.abc import Iterator

import pandas as pd

from binenc.protocol import AS_WRITTEN
from binenc.study import GROUP, Study, over_seeds
from binenc.text.hypercube import geometry_of, simplex_on_a_cube
from binenc.text.prose import final, loss_range
from binenc.text.words import n_seeds, number, plus_minus

BESIDE = {"code_share": "train", "gain": "train", "tr_sw_sb": "train", "loss": "train", "accuracy": "test"}
"""What is told beside the axes, and of which points."""

DESCENT, ROTATED = r"classifier_sgd=[^,]*[1-9][^,]*", "classifier_rotated=true"
"""Changes of an experiment: gradient descent trains the classifier, and it sees latents rotated."""
FORM = r"loss_bin=\w+"
"""A change of a protocol: another form of the binary loss."""


def beyond(found: Study, changed: Study) -> str:
    """What no claim asks of codes and class means, as Markdown items, each with its first case.

    ``changed`` is the same study with experiments and protocols of which a field was changed.
    """
    changed = changed.only("binary_encoding", "linear_penultimate")
    geometry = geometry_of(changed)
    tested = (tell(changed, geometry, 1) for tell in (forms, whose, needed))
    return "\n".join(filter(None, [simplex_on_a_cube(changed, geometry), loss_range(found), *tested]))


def values(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """The geometry and what of ``BESIDE`` is recorded, over seeds: the columns of `over_seeds`."""
    recorded = [final(found, metric, split) for metric, split in BESIDE.items()]
    return pd.concat([over_seeds(geometry), *recorded])


def _pairs(found: Study, geometry: pd.DataFrame, change: str) -> Iterator[tuple]:
    """Title, the change, numbers with it, numbers without, of each case in which binary encoding has both.

    Numbers are mean, std and n, by architecture and metric. Left out are cases without the change that have
    the reading of the loss that itself tells axes apart.
    """
    groups = values(found, geometry).groupby(GROUP, sort=False)
    known = {case: part.set_index(["architecture", "metric"])[["mean", "std", "n"]] for case, part in groups}
    pattern = re.compile(f",({change})(?=,|$)")
    for (profile, *names), changed in known.items():
        made = [match[1] for name in names if (match := pattern.search(name))]
        base = [pattern.sub("", name) for name in names]
        plain = known.get((profile, *base))
        if not made or plain is None or "mean_of_exp" in base[1]:
            continue
        if all(("binary_encoding", "rotated") in part.index for part in (changed, plain)):
            yield found.title(profile, *base), made[0], changed, plain


def _counted(told: Counter) -> str:
    """What is told of cases, with the number of them where there are several."""
    n = told.total()
    return "; ".join(f"{words} ({k} of {n} cases)" if n > 1 else words for words, k in told.most_common())


def forms(found: Study, geometry: pd.DataFrame, most: int | None = None) -> str:
    """What is left of the alignment where the binary loss has another form: an item, or nothing.

    Of cases with several seeds; the numbers of at ``most`` so many of them are told.
    """
    cases: dict[str, dict[str, pd.DataFrame]] = {}
    for title, change, *parts in _pairs(found, geometry, FORM):
        changed, plain = (part.loc["binary_encoding"] for part in parts)
        if min(part.loc["accuracy", "n"] for part in (changed, plain)) > 1:
            cases.setdefault(title, {AS_WRITTEN.loss_bin: plain})[change.partition("=")[2]] = changed
    told, items = Counter(), []
    for title, by_form in cases.items():
        (first, plain), *others = by_form.items()
        said: dict[str, list[str]] = {}
        if unknown := _unknown(_alignment(plain)):
            said[unknown] = [f"`{first}`"]
        else:
            for name, part in others:
                said.setdefault(_kept(_alignment(plain), _alignment(part)), []).append(f"`{name}`")
        told["; ".join(f"{what} with {', '.join(names)}" for what, names in said.items())] += 1
        off, shared, right = (
            ", ".join(plus_minus(*part.loc[metric]) for part in by_form.values())
            for metric in ("off_own", "code_share", "accuracy")
        )
        items.append(
            f"*{title}*, with {', '.join(f'`{name}`' for name in by_form)} in turn: class means are off by "
            f"{off} (rotated at random {plus_minus(*plain.loc['rotated'])}); the share of the training "
            f"points with the most common code of their class is {shared}; the test accuracy {right} "
            f"(n = {n_seeds([part.loc['accuracy', 'n'] for part in by_form.values()])})."
        )
    if not items:
        return ""
    return (
        f"- **Other forms of the binary loss**: {_counted(told)}. Alignment is how much nearer to vertices "
        "class means are than rotated at random, in units of half the distance between a latent's two "
        "values. `mean_square` has 1 + x² in the place of exp(x²); `exp_of_norm` weighs x² d times as much, "
        f"for d latents. {' '.join(items[:most])}"
    )


def needed(found: Study, geometry: pd.DataFrame, most: int | None = None) -> str:
    """What is left of the codes without Adam in the classifier, and without the loss: an item, or nothing.

    Without Adam: gradient descent trains the classifier. Without the loss: a linear penultimate layer. Most
    is gone where class means are nearer to their vertices than rotated ones by less than half as much. The
    numbers of at ``most`` so many cases are told.
    """
    told, items, without_loss = Counter(), [], False
    for title, _, descent, adam in _pairs(found, geometry, DESCENT):
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
    for title, _, *parts in _pairs(found, geometry, ROTATED):
        rotated, plain = (part.loc["binary_encoding"] for part in parts)
        told[_whose(plain["mean"], rotated["mean"])] += 1
        own, seen, random = (
            plus_minus(*rotated.loc[metric]) for metric in ("off_own", "off_seen", "rotated")
        )
        whole, off = _alignment(plain), rotated.loc[["off_own", "off_seen"], "mean"]
        gains, left = rotated.loc["rotated", "mean"] - off, ""
        if not _unknown(whole, *gains):
            left = (
                f", which leaves {' and '.join(number(gain / whole, 2) for gain in gains)} of the alignment"
            )
        items.append(
            f"*{title}*: class means are off by {own} on the axes of the latents (rotated at random "
            f"{random}) and by {seen} on those that the classifier sees (without the rotation "
            f"{plus_minus(*plain.loc['off_own'])}){left}. {_of_points(rotated, plain)}"
        )
    if not items:
        return ""
    return (
        f"- **Whose axes the codes are on** (at least half of the alignment): {_counted(told)}. A "
        "random rotation is put between latents and classifier and stays as it is. The first weights undo "
        "it, so that both networks start as the same function; the binary loss cannot tell; all that differs "
        "is along which axes Adam steps in the classifier. How far class means are off vertices is in units "
        "of half the distance between a latent's two values; rotated at random is how far they are on axes "
        "without a meaning, alignment how much nearer they are. "
        f"{' '.join(items[:most])}"
    )


def _of_points(rotated: pd.DataFrame, plain: pd.DataFrame) -> str:
    """How many points have the code of their label on which axes, and how well the network does."""
    n = n_seeds([part.loc["code_share", "n"] for part in (rotated, plain)])
    right, collapse = (
        " and ".join(plus_minus(*part.loc[metric]) for part in (rotated, plain))
        for metric in ("accuracy", "tr_sw_sb")
    )
    does = f"With and without the rotation the test accuracy is {right}, Tr(Sw Sb⁺)/C {collapse} (n = {n})."
    if "share_rotated" not in rotated.index:
        return does
    own, seen, random = (plus_minus(*rotated.loc[f"share_{axes}"]) for axes in ("own", "seen", "rotated"))
    return (
        f"On these axes {own} and {seen} of a sample of test points have the most common code of their "
        f"label (on random axes {random}, without the rotation {plus_minus(*plain.loc['share_own'])}). {does}"
    )


def _alignment(part: pd.DataFrame) -> float:
    """How much nearer to vertices class means are than rotated at random, of one architecture's numbers."""
    return part.loc["rotated", "mean"] - part.loc["off_own", "mean"]


def _unknown(whole: float, *gains: float) -> str:
    """Why it cannot be said what is left of the alignment, if it cannot."""
    if any(math.isnan(gain) for gain in (whole, *gains)):
        return "how far class means are from vertices is not defined in some seed"
    return "class means are no nearer to vertices than rotated at random" if whole <= 0 else ""


def _kept(whole: float, part: float) -> str:
    """Whether most of the alignment is left."""
    return _unknown(whole, part) or f"most of the alignment is {'left' if part >= whole / 2 else 'gone'}"


def _left(whole: float, without: dict[str, float]) -> str:
    """Without what most of the alignment is gone."""
    if unknown := _unknown(whole, *without.values()):
        return unknown
    gone = [words for words, gain in without.items() if gain < whole / 2]
    if not gone:
        return "most of the alignment is left"
    return f"without {' or without '.join(gone)} most of the alignment is gone"


def _whose(plain: pd.Series, turned: pd.Series) -> str:
    """The axes on which at least half of the alignment is that there is without the rotation."""
    alignment = plain["rotated"] - plain["off_own"]
    own, seen = turned["rotated"] - turned[["off_own", "off_seen"]]
    named = (own, "the latents'"), (seen, "the classifier's")
    mine = " and ".join(words for gain, words in named if gain >= alignment / 2)
    return _unknown(alignment, own, seen) or mine or "neither's"
