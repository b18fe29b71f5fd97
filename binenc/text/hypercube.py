"""Where class means and codes lie, out of records: on a simplex, at vertices of a hypercube."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from scipy.stats import ortho_group

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
from binenc.text.words import from_to, number

TURNS = 8
"""Random axes off which codes of a sample are read."""


def geometry_of(found: Study) -> pd.DataFrame:
    """What `binenc.geometry` says of the codes and class means of each run, as rows of the study's table.

    The spread of distances is of the training points' codebook, and ``within`` is how they scatter about
    their class means; the rest is of test points: of those classes to which a test point counts. What ends in
    ``own`` and ``seen`` is on the axes of the latents and on those that the classifier sees; bits are there
    the signs of class means, and shares of the sample of points that a record keeps, where that is whole.
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
            "off_own": off_vertices(means, means > 0),
            "off_seen": off_vertices(record.as_seen(means), record.as_seen(means) > 0),
            **_shares(record),
            "within": within_classes(means, book, record.final("trace_sw", "train")),
            "rotated": rotated_off_vertices(means),
        }
        epoch = record.history.epoch.max()
        rows += [(name, *run.key, epoch, "test", metric, value) for metric, value in values.items()]
    return pd.DataFrame(rows, columns=found.table.columns)


def _shares(record: Record) -> dict[str, float]:
    """Shares of the sample of test points with the most common code of their label.

    Codes are read off the axes of the latents, those that the classifier sees, and, where these are others,
    random ones, on average; none where the sample lacks dimensions.
    """
    if not record.sample_is_whole:
        return {}
    latents, labels = record.arrays["sample_latents"][-1].astype(float), record.arrays["sample_labels"][-1]
    shares = {"share_own": _share(latents, labels), "share_seen": _share(record.as_seen(latents), labels)}
    if "rotation" in record.arrays:
        turns = ortho_group.rvs(latents.shape[1], size=TURNS, random_state=0)
        shares["share_rotated"] = sum(_share(latents @ turn, labels) for turn in turns) / TURNS
    return shares


def _share(latents: np.ndarray, labels: np.ndarray) -> float:
    codes = latents > 0
    most = (np.unique(codes[labels == c], axis=0, return_counts=True)[1].max() for c in np.unique(labels))
    return sum(most) / len(labels)


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
    groups = "Each class has a value of its own in each latent, not one of two: class"
    groups = groups if mine.off_vertices > mine.within else "Class"
    first = "Class means are near a simplex; the vertices that their codes name are not. " if apart else ""
    return (
        f"- **Simplex at vertices of a hypercube** ({found.title(*key)}; no test). {first}The standard "
        f"deviation of the cosines, 0 in a simplex, is {number(means, 2)} between class means of test "
        f"points, {number(codes, 2)} between their codes, {number(random, 2)} between random directions. "
        f"{without}{groups} means are off the vertices that their codes name by "
        f"{number(mine.off_vertices, 2)}, in units of half the distance between a latent's two groups of "
        f"values, training points off their class mean by {number(mine.within, 2)}."
    )
