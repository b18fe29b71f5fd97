"""Sentences out of records, for the chapters: the text follows the numbers."""

import math

import numpy as np
import pandas as pd
import yaml

from binenc.geometry import simplex
from binenc.profile import ARCHITECTURES, PAPER_ARCHITECTURES
from binenc.records import Record, find
from binenc.study import GROUP, KEYS, Study, contents, last_epoch, over_seeds, source
from binenc.text.words import (
    DECIMALS,
    METRICS,
    SHARES,
    as_sentence,
    counted,
    from_to,
    n_seeds,
    number,
    plus_minus,
    share,
)

POINTS = {"train": "training points", "test": "test points"}


def final(found: Study, metric: str, split: str = "train") -> pd.DataFrame:
    """A metric after each run's last epoch, over seeds: the columns of `over_seeds`."""
    table = found.table[(found.table.metric == metric) & (found.table.split == split)]
    return over_seeds(last_epoch(table))


def where(found: Study, profile: str, experiment: str, protocol: str) -> str:
    """Data, protocol and profile, as an item begins."""
    return f"**{found.label(profile, experiment, protocol)}**, {source(found.profiles[profile])}"


def ranking(found: Study, metric: str, split: str) -> str:
    """One Markdown item a profile, experiment and protocol: architectures by their mean, and the lead.

    Means are over the seeds that all architectures have: those of others would not compare.
    """
    title = METRICS[metric].title
    lines = [f"{title}, {POINTS[split]}, after the last epoch, from the highest mean to the lowest:", ""]
    recorded = found.table[(found.table.metric == metric) & (found.table.split == split)]
    for key, runs in last_epoch(recorded).groupby(GROUP, sort=False):
        part = over_seeds(of_shared_seeds(runs))
        if part.empty:
            lines.append(f"- {where(found, *key)}: no seed has all architectures.")
            continue
        rows = part.sort_values("mean", ascending=False, kind="stable").set_index("architecture")
        said = ", ".join(
            f"{ARCHITECTURES[a]} {plus_minus(*rows.loc[a, ['mean', 'std', 'n']])}" for a in rows.index
        )
        if len(rows) > 1:
            lead = round(rows["mean"].iloc[0] - rows["mean"].iloc[1], DECIMALS)
            ahead = f"{number(100 * lead, 2)} percentage points" if metric in SHARES else number(lead, 2)
            level = (rows["mean"].round(DECIMALS) == round(rows["mean"].iloc[0], DECIMALS)).sum()
            who = f"all {level}" if level == len(rows) else f"the first {level}"
            said += f"; the first leads by {ahead}" if lead else f"; {who} are level"
        lines.append(f"- {where(found, *key)}: {said} (n = {n_seeds(part.n)}).")
    return "\n".join(lines)


def extreme(found: Study, metric: str, split: str, which: str = "lowest") -> str:
    """In how many cases binary encoding ends with the lowest, or highest, mean, or once had that of all."""
    sign = {"lowest": 1, "highest": -1}[which]
    means = over_seeds(found.table[(found.table.metric == metric) & (found.table.split == split)])
    means["mean"] *= sign
    ends = last_epoch(means.assign(seed=0)).pivot(index=GROUP, columns="architecture", values="mean")
    lowest = means.groupby([*GROUP, "architecture"], sort=False)["mean"].min().unstack()
    if "binary_encoding" not in ends or ends.shape[1] < 2:
        return ""
    compared = ends.binary_encoding.notna() & (ends.notna().sum(axis=1) > 1)
    at_end, ever = (
        sum(map(least, (of.loc[key].dropna() for key in ends.index[compared]))) for of in (ends, lowest)
    )
    return (
        f"{METRICS[metric].title}, {POINTS[split]}: binary encoding ends with the {which} mean in {at_end} "
        f"of {compared.sum()} cases; the {which} mean of all evaluations is its own in {ever}."
    )


def of_shared_seeds(runs: pd.DataFrame) -> pd.DataFrame:
    """The rows of the seeds that all architectures have, of one row a run."""
    return runs[runs.groupby("seed").architecture.transform("size") == runs.architecture.nunique()]


def protocols_apart(found: Study, profile: str) -> str:
    """How test accuracies as written and as released compare, a Markdown item an experiment of a profile.

    Means are over the seeds that all architectures of a protocol have.
    """
    mine = found.table.query("profile == @profile and metric == 'accuracy' and split == 'test'")
    mine = mine[mine.architecture.isin(PAPER_ARCHITECTURES)]
    lines = []
    for experiment, part in last_epoch(mine).groupby("experiment", sort=False):
        written, released = (
            of_shared_seeds(part[part.protocol == name]).pivot(
                index="seed", columns="architecture", values="value"
            )
            for name in ("as_written", "as_released")
        )
        same = set(written) == set(released) and "binary_encoding" in released
        if not len(written) or not len(released) or not same:
            continue
        binary, others = released.binary_encoding.mean(), released.drop(columns="binary_encoding").mean()
        if others.empty:
            continue
        lost = written.mean() - released.mean()
        leads = others.max() < binary and lost.min() > 0 and least(lost)
        before = least(-written.mean())
        why = "on average all lose accuracy under the released training, binary encoding least, so it leads"
        why = f"{why}{' by more' if before else ''}: " if leads else ""
        said = (
            f"{why}test accuracy as released (n = {len(released)}) is {share(binary)} with binary encoding, "
            f"{from_to(others, share)} with the others; as written (n = {len(written)}), "
            f"{from_to(written.mean(), share)} with all."
        )
        title = found.title(profile, experiment)
        lines.append(f"- **As released beside as written** ({title}). {as_sentence(said)}")
    return "\n".join(lines)


def least(numbers: pd.Series) -> bool:
    """Whether that of binary encoding is below that of each other architecture, beyond rounding."""
    return bool(numbers.drop("binary_encoding").min() - numbers.binary_encoding > 10**-DECIMALS)


def shared_rows(book: np.ndarray, classes: list[str]) -> list[list[str]]:
    """Groups of classes whose rows of the codebook (C, d) are equal, so that no code tells them apart."""
    groups: dict[bytes, list[str]] = {}
    for name, row in zip(classes, book.astype(bool), strict=True):
        groups.setdefault(row.tobytes(), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def shared(record: Record) -> str:
    """The classes of a run that share a row of the codebook after the last epoch, or nothing."""
    book, classes = record.arrays["codebook"][-1].astype(bool), record.run["classes"]
    predicted = record.run["configuration"]["protocol"]["class_of_point"] == "prediction"
    said = []
    for group in shared_rows(book, classes):
        empty = predicted and not book[classes.index(group[0])].any()
        said.append(
            " and ".join(group) + (" (no bit is 1: perhaps no point is predicted so)" if empty else "")
        )
    return "; ".join(said)


def sharing(found: Study) -> str:
    """Which classes of which runs share a row of the codebook after the last epoch, as Markdown."""
    table = found.table[(found.table.metric == "distinct_codebook_rows") & (found.table.split == "train")]
    distinct = last_epoch(table).set_index([*KEYS, "seed"]).value
    lines = []
    for profile, experiment, protocol, architecture, seed in distinct.index:
        run = found.profiles[profile].run(experiment, protocol, architecture, seed)
        classes = contents(found.profiles[profile], run)["classes"]
        if distinct[profile, experiment, protocol, architecture, seed] < len(classes):
            record = find(found.profiles[profile], run)
            who = f"{where(found, profile, experiment, protocol)}, {ARCHITECTURES[architecture]}, seed {seed}"
            train, test = (f"{share(record.final('accuracy', split))} {split}" for split in ("train", "test"))
            said = shared(record) or "none, but some class has no point"
            lines.append(f"- {who}: {said} (accuracy {train}, {test}).")
    if not lines:
        return f"In none of the {len(distinct)} runs do two classes share a row of the codebook at the end."
    head = f"In {len(lines)} of {len(distinct)} runs there are fewer distinct rows than classes at the end:"
    return "\n".join([head, "", *lines])


def loss_range(found: Study) -> str:
    """Between which values L_bin lies under binary encoding, and what its exponential does there: an item."""
    table = found.table[(found.table.metric == "loss_bin") & (found.table.split == "train")]
    of_the_mean = ~table.protocol.str.contains("loss_bin=")  # other readings are other functions
    table = table[(table.architecture == "binary_encoding") & of_the_mean]
    if table.empty:
        return ""
    n, least, most = len(table[[*GROUP, "seed"]].drop_duplicates()), table.value.min(), table.value.max()
    same = ": to less than a tenth, the gradient is that of the mean of x²" if most < 1.1 else ""
    return (
        f"- **What the exponential does** ({counted(n, 'run')} with binary encoding). The gradient of the "
        "exponential of the mean of x² is L_bin times that of the mean. At every evaluation, where dropout "
        f"is off, L_bin of the training points lies between {number(least, 4)} and {number(most, 4)}; there "
        f"all that the exponential does is to multiply γ by as much{same}. Batches with dropout are not "
        "recorded."
    )


def simplex_floor(found: Study) -> str:
    """What a perfect simplex has where classes are as large as those of the test points, as Markdown."""
    counts, said = {}, []
    for name, run in found.each():
        if run.protocol.class_of_point == "label" and run.experiment.dataset not in counts:
            record = find(found.profiles[name], run)
            counts[run.experiment.dataset] = record.arrays["test_class_count"]
    for dataset, count in counts.items():
        ends = {m: number(round(x, DECIMALS), 2) for m, x in simplex(count).items()}
        said.append(f"{', '.join(f'{METRICS[m].title.lower()} {x}' for m, x in ends.items())} ({dataset})")
    head = (
        "Classes of unequal size keep these above 0 even in a perfect simplex. With the class sizes of the "
        "test set, which are about as unequal as those of the training set of the curves, they would be: "
    )
    return f"{head}{'; '.join(said)}." if said else ""


def simplex_ends(found: Study) -> str:
    """Whether class means end at more equal angles than random directions have: a Markdown item a case."""
    random = {}
    for name, run in found.each():
        if (key := (name, *run.key[:3])) not in random:
            random[key] = find(found.profiles[name], run).arrays["test_class_means"].shape[1] ** -0.5
    ends = final(found, "equiangularity").dropna(subset="mean")
    course = over_seeds(
        found.table[(found.table.metric == "equiangularity") & (found.table.split == "train")]
    )
    began = course.set_index(KEYS).groupby(level=KEYS, sort=False)["mean"].nth(0)
    ends["began"] = [began[key] for key in ends[KEYS].itertuples(index=False, name=None)]
    ends["random"] = [random[key] for key in ends[KEYS].itertuples(index=False, name=None)]
    nearer, mine = ends["mean"] < ends.random, ends.architecture == "binary_encoding"
    counts = " and ".join(
        f"{nearer[of].sum()} of {of.sum()} {words}"
        for words, of in (
            ("cases with binary encoding", mine),
            ("cases without it" if mine.any() else "cases without binary encoding", ~mine),
        )
        if of.any()
    )
    lines = [
        f"Class means end at more equal angles than random directions in {counts} (equiangularity; in "
        "brackets that of random directions, about 1/√d, and the ratio to its own at the first evaluation, "
        "where that is defined):",
        "",
    ]
    for key, part in ends.groupby(GROUP, sort=False):
        said = ", ".join(
            f"{ARCHITECTURES[r.architecture].lower()} {number(r.mean, 2)} ({number(r.random, 2)}"
            f"{'' if math.isnan(r.began) else f'; × {number(r.mean / r.began, 2)}'})"
            for r in part.itertuples()
        )
        lines.append(f"- {where(found, *key)}: {said}.")
    return "\n".join(lines) if len(ends) else ""


def parameter_sentence(table: pd.DataFrame) -> str:
    """Whether the three architectures with a penultimate layer have equally many parameters, as Markdown."""
    told = table[table["First three equal"] != "–"]["First three equal"]
    if told.empty:
        return "No experiment here has records of all three architectures with a penultimate layer."
    return (
        "The three architectures with a penultimate layer have equally many parameters in "
        f"{(told == 'yes').sum()} of {len(told)} cases."
    )


def run_summary(record: Record) -> str:
    """The last numbers of a run in one sentence, a clause a chapter."""

    def at(metric: str, split: str = "train") -> str:
        return number(record.final(metric, split), 4)

    return (
        f"After epoch {record.history.epoch.max()}: log-likelihood of two peaks {at('log_likelihood')}, peak "
        f"std {at('std')}; a share {at('code_share')} of the training points have their class's code, "
        f"{at('distinct_codebook_rows')} of {len(record.run['classes'])} codebook rows are distinct; "
        f"accuracy {at('accuracy')} on training and {at('accuracy', 'test')} on test points; "
        f"Tr(Sw Sb⁺)/C {at('tr_sw_sb')}."
    )


def run_sharing(record: Record) -> str:
    """Which classes of a run share a row of the codebook after the last epoch, as Markdown."""
    said = shared(record)
    return f"Classes that share a row: {said}." if said else "No two classes share a row of the codebook."


def configuration(record: Record) -> str:
    """The full configuration of a run, as a Markdown code block."""
    return f"```yaml\n{yaml.safe_dump(record.run['configuration'], sort_keys=False)}```"
