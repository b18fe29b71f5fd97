"""Tables of numbers out of records, as text, for the chapters."""

import re

import numpy as np
import pandas as pd

from binenc.profile import ARCHITECTURES, PAPER_ARCHITECTURES
from binenc.protocol import AS_RELEASED, AS_WRITTEN, Protocol
from binenc.records import Record
from binenc.study import GROUP, KEYS, Study, contents, over_seeds
from binenc.text import axes
from binenc.text.prose import final
from binenc.text.words import METRICS, n_seeds, number, plus_minus


def final_table(found: Study, rows: list[tuple[str, str]]) -> pd.DataFrame:
    """Metrics and splits after the last epoch: a row each, a column an architecture, mean ± std."""
    values = pd.concat([final(found, metric, split) for metric, split in rows])
    groups = {key: part for key, part in values.groupby([*GROUP, "metric", "split"], sort=False)}
    shown = [a for a in ARCHITECTURES if a in set(values.architecture)]
    lines = []
    for profile, experiment, protocol in dict.fromkeys(key[:3] for key in groups):
        for metric, split in rows:
            part = groups.get((profile, experiment, protocol, metric, split))
            if part is None:  # records older than the metric
                continue
            part = part.set_index("architecture")
            both = len({s for m, s in rows if m == metric}) > 1
            line = {
                **_where(found, profile, experiment, protocol),
                "Metric": METRICS[metric].title + (f", {split}" if both else ""),
            }
            cells = part[["mean", "std", "n"]]
            line |= {ARCHITECTURES[a]: plus_minus(*cells.loc[a]) if a in cells.index else "" for a in shown}
            lines.append(line | _seeds(part))
    return pd.DataFrame(lines)


COURSE = (
    "Means over n seeds at the first evaluation (or the first where defined) and the last; between them the "
    "highest or lowest on the way, where it is beyond both by more than a tenth of the metric's range."
)
"""What the cells of `course_table` are, as its captions say it."""


def course_table(found: Study, metrics: list[str], split: str = "train") -> pd.DataFrame:
    """Means of metrics after the first and the last evaluation, and an extreme on the way."""
    table = found.table[found.table.metric.isin(metrics) & (found.table.split == split)]
    values = over_seeds(table).sort_values("epoch")
    shown = [a for a in ARCHITECTURES if a in set(values.architecture)]
    lines = []
    for profile, experiment, protocol in table[GROUP].drop_duplicates().itertuples(index=False):
        group = values[(values[GROUP] == [profile, experiment, protocol]).all(axis=1)]
        for metric in metrics:
            part = group[group.metric == metric]
            if part.empty:
                continue
            line = {**_where(found, profile, experiment, protocol), "Metric": METRICS[metric].title}
            line |= {ARCHITECTURES[a]: _course(part[part.architecture == a]) for a in shown}
            lines.append(line | _seeds(part[part.epoch == part.epoch.max()]))
    return pd.DataFrame(lines)


def _course(curve: pd.DataFrame) -> str:
    """First mean, last mean, and between them one that lies well beyond both, with its epoch."""
    if curve.empty:
        return ""
    means = curve.set_index("epoch")["mean"]
    first, last, defined = means.index[0], means.iloc[-1], means.dropna()
    if defined.empty:
        return number(last)
    since = f" (epoch {defined.index[0]})" if defined.index[0] > first else ""
    ends = defined.iloc[[0, -1]]
    beyond = np.maximum(defined - ends.max(), ends.min() - defined)
    at = beyond.idxmax()
    between = f" → {number(means[at])} (epoch {at})" if beyond[at] > 0.1 * np.ptp(defined) else ""
    return f"{number(defined.iloc[0])}{since}{between} → {number(last)}"


def _where(found: Study, profile: str, experiment: str, protocol: str) -> dict[str, str]:
    return {"Runs": found.label(profile, experiment, protocol)}


def _seeds(values: pd.DataFrame) -> dict[str, str]:
    return {"n": n_seeds(values.n)}


def _means(values: pd.DataFrame, titles: dict[str, str]) -> dict[str, str]:
    """Mean ± std of values by metric, each under the title of its metric."""
    rows = values[["mean", "std", "n"]].itertuples()
    return {titles[metric]: plus_minus(*row) for metric, *row in rows}


def simplex_table(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """Distances of codebook rows after the last epoch, and Plotkin's bound on the smallest."""
    columns = {
        "distinct_codebook_rows": "Distinct rows",
        "hamming_mean": "Mean",
        "hamming_std": "Std over pairs",
        "hamming_min": "Minimum",
    }
    recorded = [final(found, metric) for metric in columns if metric != "hamming_std"]
    values = pd.concat([*recorded, over_seeds(geometry)])
    lines = []
    for key, part in values.groupby(KEYS, sort=False):
        by_metric = part.set_index("metric")
        shown = by_metric.loc[list(columns)]
        line = _where(found, *key[:-1]) | {"Architecture": ARCHITECTURES[key[-1]]}
        line |= {"d": int(by_metric.loc["d", "mean"])} | _means(shown, columns)
        lines.append(
            line | {"Bound, minimum": number(by_metric.loc["plotkin_bound", "mean"])} | _seeds(shown)
        )
    return pd.DataFrame(lines)


def vertices_table(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """How near class means of test points and their codes are to a simplex, and the former to the latter."""
    columns = {
        "means_equiangularity": "Class means",
        "code_equiangularity": "Codes",
        "off_vertices": "Off their vertices",
        "within": "Within a class",
    }
    lines = []
    for key, part in over_seeds(geometry).groupby(KEYS, sort=False):
        by_metric = part.set_index("metric")
        shown = by_metric.loc[list(columns)]
        line = _where(found, *key[:-1]) | {"Architecture": ARCHITECTURES[key[-1]]} | _means(shown, columns)
        lines.append(
            line | {"Random directions": number(by_metric.loc["d", "mean"] ** -0.5, 2)} | _seeds(shown)
        )
    return pd.DataFrame(lines)


def axes_table(found: Study, geometry: pd.DataFrame) -> pd.DataFrame:
    """How far class means are off vertices, as trained and rotated, beside how well the network does."""
    titles = {
        "off_own": "Off their vertices",
        "off_seen": "As the classifier sees them",
        "rotated": "Rotated at random",
        "code_share": "Whole-code share",
        "gain": "Gain",
        "tr_sw_sb": "Tr(Sw Sb⁺)/C",
        "loss": "Loss, training",
        "accuracy": "Accuracy, test",
    }
    lines = []
    for key, part in axes.values(found, geometry).groupby(KEYS, sort=False):
        shown = part.set_index("metric").loc[list(titles)]
        line = _where(found, *key[:-1]) | {"Architecture": ARCHITECTURES[key[-1]]}
        line |= _means(shown, titles) | _seeds(shown)
        if not re.search(axes.ROTATED, key[1]):
            line[titles["off_seen"]] = ""  # where it sees the latents as they are
        lines.append(line)
    table = pd.DataFrame(lines)
    return table if table.Architecture.nunique() > 1 else table.drop(columns="Architecture")


def parameter_table(found: Study) -> pd.DataFrame:
    """Trainable parameters that the records state: a row an experiment and protocol."""
    counts: dict[tuple, dict] = {}
    for name, run in found.each():
        row = counts.setdefault((name, run.experiment_name, run.protocol_name), {})
        row[run.architecture] = contents(found.profiles[name], run)["n_parameters"]
    lines = []
    for (name, experiment, protocol), row in counts.items():
        first = [row[a] for a in PAPER_ARCHITECTURES[:3] if a in row]
        equal = "–" if len(first) < 3 else "yes" if len(set(first)) == 1 else "no"
        line = _where(found, name, experiment, protocol)
        line |= {t: f"{row[a]:,}".replace(",", " ") if a in row else "" for a, t in ARCHITECTURES.items()}
        lines.append(line | {"First three equal": equal})
    return pd.DataFrame(lines)


def settings_table(found: Study) -> pd.DataFrame:
    """The sizes and the training of each experiment."""
    lines = {}
    for name, run in found.each():
        e = run.experiment
        lines[name, run.experiment_name] = {
            "Experiment": found.label(name, run.experiment_name),
            "Backbone": e.backbone.upper(),
            "h(x)": e.width,
            "d": e.penultimate,
            "Channels": ", ".join(map(str, e.channels)) or "–",
            "Dropout": e.dropout_rate,
            "Batch": e.batch_size,
            "Learning rate": f"{e.learning_rate:g}",
            "Halved every": e.halve_every,
            "γ": f"{e.gamma:g}",
            "Epochs": e.epochs,
            "Evaluated every": e.evaluate_every,
        }
    return pd.DataFrame(list(lines.values()))


def protocol_table() -> pd.DataFrame:
    """Where the two protocols differ or the paper leaves a choice: a row a field."""
    rows = [
        {
            "Field": name,
            "As written": str(getattr(AS_WRITTEN, name)).lower(),
            "As released": str(getattr(AS_RELEASED, name)).lower(),
            "What it decides": field.description.replace("``", "`").removesuffix("."),
        }
        for name, field in Protocol.model_fields.items()
    ]
    return pd.DataFrame(rows)


def run_table(record: Record) -> pd.DataFrame:
    """Every metric of a run after its last epoch, train and test."""
    rows = [
        {
            "Metric": words.title,
            "Unit": words.unit,
            "Better": words.better,
            "Train": number(record.final(name, "train"), 4),
            "Test": number(record.final(name, "test"), 4),
        }
        for name, words in METRICS.items()
        if (name, "train") in record.last  # a record may be older than a metric
    ]
    return pd.DataFrame(rows)
