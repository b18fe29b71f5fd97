"""Where class means and codes lie, out of records: on a simplex, at vertices of a hypercube, along axes."""

import re
from dataclasses import replace

import pandas as pd

from binenc.geometry import (
    equiangularity,
    hamming,
    off_vertices,
    pairs,
    plotkin_bound,
    rotated_off_vertices,
)
from binenc.prose import GROUP, final
from binenc.records import find
from binenc.study import Study, over_seeds
from binenc.words import number, plus_minus

BESIDE = {"code_share": "train", "loss": "train", "accuracy": "test"}
"""What is told beside the axes, and of which points."""


def geometry_of(found: Study) -> pd.DataFrame:
    """What `binenc.geometry` says of the codes and class means of each run, as rows of the study's table.

    The spread of distances is of the training points' codebook, the rest of test points: of those classes
    to which a test point counts.
    """
    rows = []
    for name, run in found.each():
        record = find(found.profiles[name], run)
        filled = record.arrays["test_class_count"] > 0
        means, book = record.arrays["test_class_means"][filled], record.arrays["test_codebook"][filled]
        codebook = record.arrays["codebook"][-1]
        values = {
            "d": codebook.shape[1],
            "plotkin_bound": plotkin_bound(*codebook.shape),
            "hamming_std": pairs(hamming(codebook[filled])).std(),
            "means_equiangularity": equiangularity(means.astype(float)),
            "code_equiangularity": equiangularity(book.astype(float)),
            "off_vertices": off_vertices(means, book),
            "rotated": rotated_off_vertices(means),
        }
        key = (name, run.experiment_name, run.protocol_name, run.architecture, run.seed)
        epoch = record.history.epoch.max()
        rows += [(*key, epoch, "test", metric, value) for metric, value in values.items()]
    return pd.DataFrame(rows, columns=found.table.columns)


def beyond(found: Study) -> str:
    """What no claim asks, as Markdown items: `simplex_on_a_cube` and `axes`."""
    mine = {n: [r for r in runs if r.architecture == "binary_encoding"] for n, runs in found.runs.items()}
    geometry = geometry_of(replace(found, runs=mine))
    return "\n".join(filter(None, [simplex_on_a_cube(found, geometry), axes(found, geometry)]))


def vertices(found: Study, geometry: pd.DataFrame) -> str:
    """Whether class means are nearer to a simplex than their codes under binary encoding, as Markdown."""
    ends = over_seeds(geometry)
    ends = ends[ends.architecture == "binary_encoding"]
    if ends.empty:
        return "No experiment here has records of binary encoding."
    mine = ends.pivot(index=GROUP, columns="metric", values="mean").dropna()
    if mine.empty:
        return "In no case are the angles of class means, those of their codes and both vertices defined."
    nearer = mine.means_equiangularity < mine.code_equiangularity
    return (
        f"Under binary encoding equiangularity is {_range(mine.means_equiangularity)} for class means and "
        f"{_range(mine.code_equiangularity)} for their codes, "
        f"{_range(mine.code_equiangularity / mine.d**-0.5)} times that of random directions; class means are "
        f"nearer to a simplex than their codes in {nearer.sum()} of {len(mine)} cases. They lie off their "
        f"vertices by {_range(mine.off_vertices)} of half the distance between a dimension's two values."
    )


def simplex_on_a_cube(found: Study, geometry: pd.DataFrame) -> str:
    """How near a simplex class means and codes are in the first case, as a Markdown item, or nothing."""
    ends = over_seeds(geometry)
    ends = ends[ends.architecture == "binary_encoding"]
    if ends.empty:
        return ""
    key = list(ends.iloc[0][GROUP])
    mine = ends[(ends[GROUP] == key).all(axis=1)].set_index("metric")["mean"]
    means, codes, random = (
        number(x, 2) for x in (mine.means_equiangularity, mine.code_equiangularity, mine.d**-0.5)
    )
    return (
        f"- **Simplex at vertices of a hypercube** (no test): the standard deviation of the cosines, 0 in a "
        f"simplex, is {means} between class means of test points, {codes} between their codes, {random} "
        f"between random directions; class means are off the vertices that their codes name by "
        f"{number(mine.off_vertices, 2)} of half the distance of a dimension's two values."
    )


def axes_values(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """The geometry and what of ``BESIDE`` is recorded, over seeds: the columns of `over_seeds`."""
    recorded = [final(found, metric, split) for metric, split in BESIDE.items()]
    return pd.concat([over_seeds(geometry), *recorded])


def axes(found: Study, geometry: pd.DataFrame) -> str:
    """What is left of the codes where gradient descent trains the classifier, as Markdown: an item a case."""
    ends = axes_values(found, geometry)
    mine = ends[ends.architecture == "binary_encoding"].set_index([*GROUP, "metric"])[["mean", "std", "n"]]
    lines = []
    for profile, experiment, protocol in mine.index.droplevel("metric").unique():
        base, _, change = experiment.partition(",")
        adam, other = (profile, base, protocol), (profile, experiment, protocol)
        if not re.fullmatch(r"classifier_sgd=[^,]+", change) or (*adam, "rotated") not in mine.index:
            continue
        before, after = (
            {name: plus_minus(*mine.loc[(*case, name)]) for name in ("off_vertices", "rotated", *BESIDE)}
            for case in (adam, other)
        )
        gained, kept = (
            mine.loc[(*case, "rotated"), "mean"] - mine.loc[(*case, "off_vertices"), "mean"]
            for case in (adam, other)
        )
        lines.append(
            f"- **What makes the codes** ({found.title(*adam)}): the loss cannot tell apart the axes off "
            f"which they are read. Where Adam trains the classifier, a share of {before['code_share']} of "
            f"the training points have their class's code, and class means are off their vertices by "
            f"{before['off_vertices']} of the half distance ({before['rotated']} if rotated at random). "
            f"Where gradient descent trains it, and Adam all else, these are {after['code_share']} and "
            f"{after['off_vertices']} ({after['rotated']}), at a loss of {after['loss']} in place of "
            f"{before['loss']} and a test accuracy of {after['accuracy']} in place of "
            f"{before['accuracy']} (n = {mine.loc[(*other, 'rotated'), 'n']}): "
            + ("most of it comes with Adam." if kept < gained / 2 else "most of it has another cause.")
        )
    return "\n".join(lines)


def _range(values: pd.Series) -> str:
    return " to ".join(dict.fromkeys(number(x, 2) for x in (values.min(), values.max())))
