"""Where class means and codes lie, out of records: on a simplex, at vertices of a hypercube, along axes."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd

from binenc.geometry import (
    equiangularity,
    hamming,
    off_vertices,
    pairs,
    plotkin_bound,
    rotated_off_vertices,
    within_classes,
)
from binenc.records import Record, find
from binenc.study import GROUP, Study, over_seeds
from binenc.text.prose import final
from binenc.text.words import from_to, n_seeds, number, plus_minus

BESIDE = {"code_share": "train", "gain": "train", "tr_sw_sb": "train", "loss": "train", "accuracy": "test"}
"""What is told beside the axes, and of which points."""


def geometry_of(found: Study) -> pd.DataFrame:
    """What `binenc.geometry` says of the codes and class means of each run, as rows of the study's table.

    The spread of distances is of the training points' codebook, and ``within`` is how they scatter about
    their class means; the rest is of test points: of those classes to which a test point counts.
    """
    rows = []
    for name, run in found.each():
        record = find(found.profiles[name], run)
        filled = record.arrays["test_class_count"] > 0
        means, book = record.arrays["test_class_means"][filled], record.arrays["test_codebook"][filled]
        codebook = record.arrays["codebook"][-1]
        apart = pairs(hamming(codebook[filled]))
        values = {
            "d": codebook.shape[1],
            "plotkin_bound": plotkin_bound(*codebook.shape),
            "hamming_std": apart.std() if apart.size else math.nan,
            "means_equiangularity": equiangularity(means.astype(float)),
            "code_equiangularity": equiangularity(book.astype(float)),
            "off_vertices": off_vertices(means, book),
            "off_seen": off_vertices(*_as_seen(record, means, book)),
            "within": within_classes(means, book, record.final("trace_sw", "train")),
            "rotated": rotated_off_vertices(means),
        }
        epoch = record.history.epoch.max()
        rows += [(name, *run.key, epoch, "test", metric, value) for metric, value in values.items()]
    return pd.DataFrame(rows, columns=found.table.columns)


def _as_seen(record: Record, means: np.ndarray, book: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class means and codes as the classifier sees them; of rotated class means codes are the signs."""
    if "rotation" not in record.arrays:
        return means, book
    means = record.as_seen(means)
    return means, means > 0


def beyond(found: Study) -> str:
    """What no claim asks, as Markdown items; of what is told case by case the first."""
    geometry = geometry_of(found := found.only("binary_encoding", "linear_penultimate"))
    items = (
        simplex_on_a_cube(found, geometry),
        rotated_classifier(found, geometry),
        *axes(found, geometry)[:1],
    )
    return "\n".join(filter(None, items))


def _under_binary_encoding(geometry: pd.DataFrame, metrics: Sequence[str]) -> pd.DataFrame:
    """Means over seeds, a row a case in which all of the metrics are defined, a column a metric."""
    ends = over_seeds(geometry)
    ends = ends[(ends.architecture == "binary_encoding") & ends.metric.isin(metrics)]
    return ends.pivot(index=GROUP, columns="metric", values="mean").dropna()


def vertices(geometry: pd.DataFrame) -> str:
    """Whether class means are nearer to a simplex than their codes under binary encoding, as Markdown."""
    needed = ["d", "means_equiangularity", "code_equiangularity", "off_vertices"]
    mine = _under_binary_encoding(geometry, needed)
    if mine.empty:
        return (
            "No experiment here has records of binary encoding in which the angles of class means, those of "
            "their codes and both vertices are defined."
        )
    nearer = mine.means_equiangularity < mine.code_equiangularity
    means, codes, over_random, off = (
        from_to(values, partial(number, digits=2))
        for values in (
            mine.means_equiangularity,
            mine.code_equiangularity,
            mine.code_equiangularity / mine.d**-0.5,
            mine.off_vertices,
        )
    )
    return (
        f"Under binary encoding equiangularity is {means} for class means and {codes} for their codes, "
        f"{over_random} times that of random directions; class means are nearer to a simplex than their "
        f"codes in {nearer.sum()} of {len(mine)} cases. They lie off their vertices by {off} of half the "
        "distance between a latent's two values."
    )


def two_groups(geometry: pd.DataFrame) -> str:
    """Whether latents take two values under binary encoding, or two groups of values, as Markdown."""
    mine = _under_binary_encoding(geometry, ["off_vertices", "within"])
    if mine.empty:
        return "No experiment here has records of binary encoding in which both bits occur."
    off, within = (from_to(mine[metric], partial(number, digits=2)) for metric in ("off_vertices", "within"))
    apart = (mine.off_vertices > mine.within).sum()
    return (
        "Two values would have both at 0. Under binary encoding class means of test points lie off the mean "
        f"of their group by {off} of half the distance between the groups, training points off their class "
        f"mean by {within} of it. In {apart} of {len(mine)} cases the first is larger: there a latent takes "
        "two groups of values, a value a class, rather than two values."
    )


def simplex_on_a_cube(found: Study, geometry: pd.DataFrame) -> str:
    """How near a simplex class means and codes are in the first case, as a Markdown item, or nothing."""
    ends = over_seeds(geometry).pivot(index="metric", columns=[*GROUP, "architecture"], values="mean")
    key = next((key for *key, architecture in ends if architecture == "binary_encoding"), None)
    if not key:
        return ""
    mine, linear = ends[*key, "binary_encoding"], ends.get((*key, "linear_penultimate"))
    without = ""
    if linear is not None:
        spread = number(linear.means_equiangularity, 2)
        without = f"With a linear penultimate layer that of class means is {spread}. "
    means, codes, random = mine.means_equiangularity, mine.code_equiangularity, mine.d**-0.5
    apart = means < random / 4 and codes > random / 2
    groups = "A latent takes two groups of values. " if mine.off_vertices > mine.within else ""
    first = "Class means are near a simplex; the vertices that their codes name are not. " if apart else ""
    return (
        f"- **Simplex at vertices of a hypercube** ({found.title(*key)}; no test). {first}The standard "
        f"deviation of the cosines, 0 in a simplex, is {number(means, 2)} between class means of test "
        f"points, {number(codes, 2)} between their codes, {number(random, 2)} between random directions. "
        f"{without}{groups}Class means miss the vertices that their codes name "
        f"by {number(mine.off_vertices, 2)} of half the distance between the groups, training points their "
        f"class mean by {number(mine.within, 2)}."
    )


def axes_values(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """The geometry and what of ``BESIDE`` is recorded, over seeds: the columns of `over_seeds`."""
    recorded = [final(found, metric, split) for metric, split in BESIDE.items()]
    return pd.concat([over_seeds(geometry), *recorded])


def axes(found: Study, geometry: pd.DataFrame) -> list[str]:
    """What is left of the codes without Adam in the classifier, and without the loss: an item a case.

    Without Adam: gradient descent trains the classifier. Without the loss: a linear penultimate layer. Most
    is gone where class means are nearer to their vertices than rotated ones by less than half as much.
    """
    ends = axes_values(found, geometry)
    rows = ends.set_index([*GROUP, "architecture", "metric"])[["mean", "std", "n"]].sort_index()
    lines = []
    for profile, experiment, protocol in ends[GROUP].drop_duplicates().itertuples(index=False):
        base, _, change = experiment.partition(",")
        key = profile, base, protocol
        adam, descent, no_loss = cases = (
            (*key, "binary_encoding"),
            (profile, experiment, protocol, "binary_encoding"),
            (*key, "linear_penultimate"),
        )
        if not re.fullmatch(r"classifier_sgd=[^,]+", change) or any(
            (*name, "rotated") not in rows.index for name in (adam, descent)
        ):
            continue
        case = {name: rows.loc[name] for name in cases if (*name, "rotated") in rows.index}
        off, rotated = (
            {name: plus_minus(*part.loc[metric]) for name, part in case.items()}
            for metric in ("off_vertices", "rotated")
        )
        gain = {name: p.loc["rotated", "mean"] - p.loc["off_vertices", "mean"] for name, p in case.items()}
        n = n_seeds([case[name].loc["rotated", "n"] for name in (adam, descent)])
        share, spread = case[descent].loc["code_share", ["mean", "std"]]
        first = _left(gain[adam], gain[descent], gain.get(no_loss), shared=share - spread > 0.5)
        said = (
            f"- **What puts class means at vertices** ({found.title(*key)}): {first}. The binary "
            "loss alone cannot do it: it stays the same however latents are rotated, while codes are read "
            "off the axes. In units of half the distance between a latent's two values, class means are off "
            "their vertices "
            f"by {off[adam]} where Adam trains all weights ({rotated[adam]} if rotated at random), by "
            f"{off[descent]} ({rotated[descent]}) where gradient descent, with momentum and at a constant "
            "rate of its own, trains those of the classifier"
        )
        if no_loss in case:
            said += f", by {off[no_loss]} with Adam but without the binary loss (linear penultimate)"
        lines.append(f"{said} (n = {n}).")
    return lines


def _left(adam: float, descent: float, no_loss: float | None, shared: bool) -> str:
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


def rotated_classifier(found: Study, geometry: pd.DataFrame) -> str:
    """Whose axes the codes are on, where the classifier sees latents rotated: a Markdown item, or nothing."""
    ends = axes_values(found, geometry)
    ends = ends[ends.architecture == "binary_encoding"]
    rows = ends.set_index([*GROUP, "metric"])[["mean", "std", "n"]].sort_index()
    whose, cases = Counter(), []
    for profile, experiment, protocol in ends[GROUP].drop_duplicates().itertuples(index=False):
        base, _, change = experiment.partition(",")
        if change != "classifier_rotated=true" or (profile, base, protocol, "off_vertices") not in rows.index:
            continue
        plain, turned = rows.loc[profile, base, protocol], rows.loc[profile, experiment, protocol]
        whose[_whose(plain["mean"], turned["mean"])] += 1
        own, seen, random = (
            plus_minus(*turned.loc[metric]) for metric in ("off_vertices", "off_seen", "rotated")
        )
        shared, right = (
            " and ".join(plus_minus(*part.loc[metric]) for part in (turned, plain))
            for metric in ("code_share", "accuracy")
        )
        n = n_seeds([part.loc["code_share", "n"] for part in (turned, plain)])
        cases.append(
            f"*{found.title(profile, base, protocol)}*: by {own} and {seen}; by {random} if rotated at "
            f"random, {plus_minus(*plain.loc['off_vertices'])} without the rotation. With and without it "
            f"the whole-code share is {shared}, the test accuracy {right} (n = {n})."
        )
    if not cases:
        return ""
    counts = (f"{words} ({n} of {len(cases)} cases)" for words, n in whose.most_common())
    said = "; ".join(counts if len(cases) > 1 else whose)
    return (
        f"- **Whose axes the codes are on**: {said}. A random rotation is put between latents and classifier "
        "and stays as it is; Adam trains both as before, and the binary loss cannot tell. Class means are "
        "then off their vertices, in units of half the distance between a latent's two values, on the axes "
        f"of the latents and on those that the classifier sees: {' '.join(cases)}"
    )


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
