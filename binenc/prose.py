"""Sentences and tables out of records, for the chapters: the text follows the numbers."""

import ast
import inspect
import math
import re
import textwrap
from collections.abc import Callable

import numpy as np
import pandas as pd
import yaml

from binenc.profile import ARCHITECTURES
from binenc.records import Record, find
from binenc.study import KEYS, Study, contents, last_epoch, over_seeds, source
from binenc.words import METRICS

GROUP = KEYS[:3]


def number(value: float, digits: int = 3) -> str:
    """A few significant digits, with a true minus sign; powers of ten where there would be many zeros."""
    if not math.isfinite(value):
        return "not defined"
    if value == int(value) and abs(value) < 1e5:
        return f"{int(value)}".replace("-", "−")
    small = value != 0 and not 1e-3 <= abs(value) < 1e5
    if small:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    return f"{value:.{max(0, digits - 1 - _magnitude(value))}f}".replace("-", "−")


def plus_minus(mean: float, std: float, n: int) -> str:
    """``mean ± std``, to two digits of the standard deviation; the mean alone if n is 1."""
    if not math.isfinite(mean) or n < 2 or not math.isfinite(std):
        return number(mean, 4)
    if std == 0:
        return f"{number(mean, 4)} ± 0"
    if 1e-3 <= abs(mean) < 1e5 or mean == 0:
        decimals = min(max(0, 1 - _magnitude(std)), 5)
        return f"{mean:.{decimals}f} ± {std:.{decimals}f}".replace("-", "−")
    return f"{number(mean)} ± {number(std, 2)}"


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value))) if value else 0


def final(found: Study, metric: str, split: str = "train") -> pd.DataFrame:
    """A metric after each run's last epoch, over seeds: the columns of `over_seeds`."""
    table = found.table[(found.table.metric == metric) & (found.table.split == split)]
    return over_seeds(last_epoch(table))


def where(found: Study, profile: str, experiment: str, protocol: str) -> str:
    """Data, protocol and profile, as a sentence begins."""
    title = found.title(profile, experiment).split(" · ")[0]
    return f"**{title}, {protocol.replace('_', ' ')}**, {source(found.profiles[profile])}"


def ending(found: Study, metric: str, split: str = "train") -> str:
    """One Markdown item a profile, experiment and protocol: where the metric of each architecture ends."""
    lines = [f"{METRICS[metric].title} ({METRICS[metric].unit}), {split} points, after the last epoch:", ""]
    for key, part in final(found, metric, split).groupby(GROUP, sort=False):
        rows = part.set_index("architecture")
        said = [
            f"{ARCHITECTURES[a]} {plus_minus(*rows.loc[a, ['mean', 'std', 'n']])}"
            for a in ARCHITECTURES
            if a in rows.index
        ]
        lines.append(f"- {where(found, *key)}: {', '.join(said)} ({seeds(part.n)}).")
    return "\n".join(lines)


def change(found: Study, metric: str, split: str = "train") -> str:
    """One Markdown item a profile, experiment and protocol: from the first evaluation to the last."""
    lines = [
        f"{METRICS[metric].title} ({METRICS[metric].unit}), {split} points, first and last evaluation:",
        "",
    ]
    table = found.table[(found.table.metric == metric) & (found.table.split == split)]
    for key, part in over_seeds(table).groupby(GROUP, sort=False):
        said = []
        for architecture in ARCHITECTURES:
            curve = part[part.architecture == architecture].sort_values("epoch")
            if len(curve) > 1:
                (first, last) = (curve.iloc[i][["mean", "std", "n"]] for i in (0, -1))
                verb = (
                    "rises"
                    if last["mean"] > first["mean"]
                    else "falls"
                    if last["mean"] < first["mean"]
                    else "stays"
                )
                said.append(
                    f"{ARCHITECTURES[architecture]} {verb} from {plus_minus(*first)} to {plus_minus(*last)}"
                )
        lines.append(f"- {where(found, *key)}: {'; '.join(said)} ({seeds(part.n)}).")
    return "\n".join(lines)


def ranking(found: Study, metric: str, split: str) -> str:
    """One Markdown item a profile, experiment and protocol: architectures by their mean, and the leader's margin."""
    lines = [
        f"{METRICS[metric].title}, {split} points, after the last epoch, from the highest mean to the lowest:",
        "",
    ]
    for key, part in final(found, metric, split).groupby(GROUP, sort=False):
        rows = part.sort_values("mean", ascending=False, kind="stable")
        said = [
            f"{ARCHITECTURES[r.architecture]} {plus_minus(r.mean, r.std, r.n)}"
            for r in rows.itertuples(name="Row")
        ]
        margin = (
            f"; the first leads by {number(rows['mean'].iloc[0] - rows['mean'].iloc[1], 2)}"
            if len(rows) > 1
            else ""
        )
        lines.append(f"- {where(found, *key)}: {', '.join(said)}{margin} ({seeds(part.n)}).")
    return "\n".join(lines)


def seeds(n: pd.Series) -> str:
    """How many seeds, as a bracket says it."""
    low, high = int(n.min()), int(n.max())
    return f"n = {low}" if low == high else f"n = {low} to {high}"


def final_table(found: Study, rows: list[tuple[str, str]]) -> pd.DataFrame:
    """Metrics and splits after the last epoch as text: a row each, a column an architecture."""
    tables = pd.concat([final(found, metric, split) for metric, split in rows])
    lines = []
    groups = {key: part for key, part in tables.groupby([*GROUP, "metric", "split"], sort=False)}
    for *key, metric, split in (
        (*key, *row) for key in dict.fromkeys(key[:3] for key in groups) for row in rows
    ):
        part = groups[*key, metric, split]
        cells = part.set_index("architecture")
        several = len({s for m, s in rows if m == metric}) > 1
        line = {
            "Data": found.title(*key[:2]),
            "Protocol": key[2].replace("_", " "),
            "Metric": METRICS[metric].title + (f", {split}" if several else ""),
        }
        for a, title in ARCHITECTURES.items():
            if a in set(tables.architecture):
                line[title] = plus_minus(*cells.loc[a, ["mean", "std", "n"]]) if a in cells.index else ""
        lines.append(line | {"n": seeds(part.n).removeprefix("n = ")})
    table = pd.DataFrame(lines)
    return table.drop(columns="Metric") if table.Metric.nunique() == 1 else table


def shared_rows(book: np.ndarray, classes: list[str]) -> list[list[str]]:
    """Groups of classes whose rows of the codebook (C, d) are equal, so that no code tells them apart."""
    groups: dict[bytes, list[str]] = {}
    for name, row in zip(classes, book.astype(bool), strict=True):
        groups.setdefault(row.tobytes(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def sharing(found: Study) -> str:
    """Which classes of which runs share a row of the codebook after the last epoch, as Markdown."""
    table = last_epoch(
        found.table[(found.table.metric == "distinct_codebook_rows") & (found.table.split == "train")]
    )
    rows = table.set_index([*KEYS, "seed"]).value
    lines, total = [], 0
    for name, runs in found.runs.items():
        for run in runs:
            total += 1
            key = (name, run.experiment_name, run.protocol_name, run.architecture, run.seed)
            made = contents(found.profiles[name], run)
            if rows.get(key, 0) == len(made["classes"]):
                continue
            record = find(found.profiles[name], run)
            groups = shared_rows(record.arrays["codebook"][-1], made["classes"])
            said = "; ".join(" and ".join(group) for group in groups)
            accuracy = {split: record.final("accuracy", split) for split in ("train", "test")}
            lines.append(
                f"- {where(found, name, run.experiment_name, run.protocol_name)}, {ARCHITECTURES[run.architecture]}, "
                f"seed {run.seed}: {said} (accuracy {accuracy['train']:.4f} train, {accuracy['test']:.4f} test)."
            )
    if not lines:
        return f"In none of the {total} runs do two classes share a row of the codebook after the last epoch."
    return (
        f"In {len(lines)} of {total} runs classes share a row of the codebook after the last epoch:\n\n"
        + "\n".join(lines)
    )


def simplex_table(found: Study) -> pd.DataFrame:
    """Distances of codebook rows after the last epoch beside what a simplex would need, as text."""
    lines = []
    distances = final(found, "hamming_mean").merge(
        final(found, "hamming_min"), on=[*KEYS, "n"], suffixes=("", "_min")
    )
    distances = distances.merge(
        final(found, "distinct_codebook_rows"), on=[*KEYS, "n"], suffixes=("", "_rows")
    )
    for row in distances.itertuples():
        run = next(
            r
            for r in found.runs[row.profile]
            if (r.experiment_name, r.protocol_name, r.architecture)
            == (row.experiment, row.protocol, row.architecture)
        )
        n_classes = len(contents(found.profiles[row.profile], run)["classes"])
        d = run.experiment.width if run.architecture == "no_penultimate" else run.experiment.penultimate
        lines.append(
            {
                "Data": found.title(row.profile, row.experiment),
                "Protocol": row.protocol.replace("_", " "),
                "Architecture": ARCHITECTURES[row.architecture],
                "d": d,
                "Distinct rows": f"{plus_minus(row.mean_rows, row.std_rows, row.n)} of {n_classes}",
                "Mean distance": plus_minus(row.mean, row.std, row.n),
                "Least distance": plus_minus(row.mean_min, row.std_min, row.n),
                "Simplex": number(d / 2 * n_classes / (n_classes - 1)),
                "n": row.n,
            }
        )
    return pd.DataFrame(lines)


def parameter_table(found: Study) -> pd.DataFrame:
    """Trainable parameters that the records state: a row an experiment and protocol, a column an architecture."""
    counts: dict[tuple, dict] = {}
    for name, runs in found.runs.items():
        for run in runs:
            row = counts.setdefault((name, run.experiment_name, run.protocol_name), {})
            row[run.architecture] = contents(found.profiles[name], run)["n_parameters"]
    lines = []
    for (name, experiment, protocol), row in counts.items():
        first = [row[a] for a in list(ARCHITECTURES)[:3] if a in row]
        equal = "yes" if len(set(first)) == 1 else "no"
        line = {"Data": found.title(name, experiment), "Protocol": protocol.replace("_", " ")}
        line |= {
            title: f"{row[a]:,}".replace(",", " ") if a in row else "" for a, title in ARCHITECTURES.items()
        }
        lines.append(line | {"First three equal": equal if len(first) == 3 else "–"})
    return pd.DataFrame(lines)


def parameter_sentence(table: pd.DataFrame) -> str:
    """Whether the three architectures with a penultimate layer have equally many parameters, as Markdown."""
    told = table[table["First three equal"] != "–"]["First three equal"]
    if told.empty:
        return "No experiment here has records of all three architectures with a penultimate layer."
    return (
        "The three architectures with a penultimate layer have equally many parameters in "
        f"{(told == 'yes').sum()} of {len(told)} experiments and protocols."
    )


def settings_table(found: Study) -> pd.DataFrame:
    """The sizes and the training of each experiment, as text."""
    shown = {}
    for name, runs in found.runs.items():
        for run in runs:
            e = run.experiment
            shown[name, run.experiment_name] = {
                "Data": found.title(name, run.experiment_name),
                "Backbone": e.backbone.upper(),
                "h(x)": e.width,
                "d": e.penultimate,
                "Channels": ", ".join(map(str, e.channels)) or "–",
                "Dropout": e.dropout_rate,
                "Batch": e.batch_size,
                "Learning rate": f"{e.learning_rate:g}",
                "γ": f"{e.gamma:g}",
                "Epochs": e.epochs,
            }
    return pd.DataFrame(list(shown.values()))


def run_table(record: Record) -> pd.DataFrame:
    """Every metric of a run after its last epoch, train and test, as text."""
    rows = [
        {
            "Metric": words.title,
            "Unit": words.unit,
            "Better": words.better,
            "Train": number(record.final(name, "train"), 4),
            "Test": number(record.final(name, "test"), 4),
        }
        for name, words in METRICS.items()
    ]
    return pd.DataFrame(rows)


def run_summary(record: Record) -> str:
    """The last numbers of a run in one sentence, a clause a chapter."""
    h = record.history

    def at(metric: str, split: str = "train") -> str:
        return number(record.final(metric, split), 4)

    return (
        f"After epoch {h.epoch.max()}: two-peak log-likelihood {at('log_likelihood')} and peak std {at('std')}; "
        f"{at('code_share')} of the training points have their class's code, {at('distinct_codebook_rows')} of "
        f"{len(record.run['classes'])} codes are distinct; accuracy {at('accuracy')} on training and "
        f"{at('accuracy', 'test')} on test points; Tr(Sw Sb⁺)/C {at('tr_sw_sb')}."
    )


def run_sharing(record: Record) -> str:
    """Which classes of a run share a row of the codebook after the last epoch, as Markdown."""
    groups = shared_rows(record.arrays["codebook"][-1], record.run["classes"])
    if not groups:
        return "No two classes share a row of the codebook."
    return f"Classes that share a row of the codebook: {'; '.join(' and '.join(group) for group in groups)}."


def configuration(record: Record) -> str:
    """The full configuration of a run, as a Markdown code block."""
    return f"```yaml\n{yaml.safe_dump(record.run['configuration'], sort_keys=False)}```"


def annotated(function: Callable) -> str:
    """A function as Markdown: what its docstring says, with its equations, and then the code without it."""
    said = inspect.cleandoc(function.__doc__ or "").split("\n\nParameters\n")[0].split("\n\nRaises\n")[0]
    said = re.sub(r":math:`(.+?)`", r"$\1$", said, flags=re.S)
    said = re.sub(r"``(.+?)``|(?<!`)`([^`$]+?)`(?!`)", lambda m: f"`{m[1] or m[2]}`", said)
    said = re.sub(r"^\.\. math::\s*(.+)$", r"$$\1$$", said, flags=re.M)
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    node = ast.parse("\n".join(lines)).body[0]
    if ast.get_docstring(node) is not None:
        first = node.body[0]
        del lines[first.lineno - 1 : first.end_lineno]
    file = inspect.getsourcefile(function) or ""
    place = "/".join(file.replace("\\", "/").split("/")[-2:])
    return f"**`{function.__name__}`** (`{place}`): {said}\n\n```python\n" + "\n".join(lines) + "\n```"
