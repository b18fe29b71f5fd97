"""How each class fares, out of records: whether its test points share a code, and are recognised."""

import pandas as pd

from binenc.records import find
from binenc.study import GROUP, Study
from binenc.text.prose import where
from binenc.text.words import counted, number, plus_minus

CLASS_COLUMNS = [*GROUP, "seed", "class", "code_share", "accuracy"]


def classes_of(found: Study) -> pd.DataFrame:
    """Whole-code share and accuracy of the test points of each class, under binary encoding: a row a class.

    They are those after the last epoch. Columns: profile, experiment, protocol, seed, class, code_share,
    accuracy.
    """
    rows = []
    for name, run in found.each():
        if run.architecture == "binary_encoding":
            record = find(found.profiles[name], run)
            shares, accuracies = (record.arrays[f"test_class_{key}"] for key in CLASS_COLUMNS[-2:])
            key = (name, run.experiment_name, run.protocol_name, run.seed)
            for values in zip(record.run["classes"], shares, accuracies, strict=True):
                rows.append((*key, *values))
    return pd.DataFrame(rows, columns=CLASS_COLUMNS)


def extremes(found: Study, classes: pd.DataFrame) -> str:
    """Whether a few classes do worse than the rest, and if they are the ones that are hard to recognise.

    Markdown, an item a profile, experiment and protocol: the class that shares its code least, by seed; the
    median over classes, and the rank correlation (Spearman's) of share and accuracy, over seeds.
    """
    lines = []
    for key, part in classes.groupby(GROUP, sort=False):
        least, runs = [], []
        for _, run in part.dropna().groupby("seed"):
            worst = run.loc[run.code_share.idxmin()]
            least.append(f"class {worst['class']} ({number(worst.code_share)})")
            ranks = run[["code_share", "accuracy"]].corr("spearman")
            runs.append((run.code_share.median(), ranks.loc["code_share", "accuracy"]))
        over_seeds = pd.DataFrame(runs).agg(["mean", "std", "count"])
        median, agree = (plus_minus(*over_seeds[column]) for column in over_seeds)
        alike = len(runs) - int(over_seeds.loc["count"].iloc[1])
        unranked = (
            f", of which {alike} without ranks: all classes have one share, or one accuracy" if alike else ""
        )
        lines.append(
            f"- {where(found, *key)}: lowest whole-code share, seed by seed, {', '.join(least)}; median over "
            f"classes {median}; rank correlation of share and accuracy over classes {agree} "
            f"({counted(len(runs), 'seed')}{unranked})."
        )
    return "\n".join(lines)
