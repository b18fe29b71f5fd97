"""What each single difference of the protocols moves, and how sure that is, in words."""

import math

import numpy as np
import pandas as pd

from binenc.claims.effect import Effect, student
from binenc.claims.paper import BINARY, OTHERS
from binenc.claims.switches import (
    BASES,
    CHANGES,
    HEADLINES,
    Headline,
    as_text,
    headlines,
    in_short,
    ordered,
    parts,
    switched,
)
from binenc.study import GROUP, Study, last_epoch
from binenc.text.prose import least
from binenc.text.words import from_to, percentage_points, share

NO_RUN = {
    "cnn_dense_layers": "concerns the CNN alone",
    "learning_rate": "acts from its first halving on",
    "max_angle_pairs": "maps every max angle linearly (for ten classes, v to 9/11 v + 20/99)",
    "between_class": "multiplies every Tr(Sw Sb⁺)/C by (C − 1)/C where classes are equally large",
}
"""What a difference does, where that is known without a run."""


def sentences(numbers: pd.DataFrame) -> str:
    """What each switch does to each headline number, against what seeds differ by, as Markdown items."""
    lines = []
    at = {key: of.dropna() for key, of in numbers.set_index("seed").groupby(["number", "protocol"]).value}
    for protocol in filter(switched, ordered(numbers.protocol)):
        base, field, value = switched(protocol)
        said: dict[str, list[str]] = {}
        for name, h in HEADLINES.items():
            before, after = (at.get((name, p), pd.Series(dtype=float)) for p in (base, protocol))
            moved = change(before, after, h)
            if moved.n_seeds:
                what, told = in_all(moved) if moved.n_seeds > 1 else in_one(before, after, h)
                said.setdefault(what, []).append(told)
        moves = [f"{what} {'; '.join(some)}" for what, some in said.items()] or [
            "has no record to compare yet"
        ]
        start = as_text(BASES[base][field])
        lines.append(f"- `{field}` alone, from `{start}` to `{value}`, {'. It '.join(moves)}.")
    return "\n".join(lines)


def change(before: pd.Series, after: pd.Series, h: Headline) -> Effect:
    """By how much a number moves in each seed of both: a ratio if it can span decades, else in points."""
    if h.log:
        return Effect(h.short, np.log(after / before).dropna(), "after / before", ratio=True)
    scale, farthest = (100, 100) if h.write is share else (1, 200)
    return Effect(h.short, scale * (after - before).dropna(), "percentage points", farthest=farthest)


def in_all(moved: Effect) -> tuple[str, str]:
    """Whether a number moves, by an interval over several seeds, and by how much."""
    where = f"in {moved.n_seeds} paired seeds"
    if (moved.values == 0).all():
        return f"leaves unchanged {where}:", moved.name
    told = f"{moved.name} by {moved}{'' if moved.ratio else f' {moved.unit}'}"
    if moved.without_width:
        return f"moves {where}, in all by the same:", told
    sure = moved.interval.low > 0 or moved.interval.high < 0
    return f"moves {where}, beyond chance:" if sure else f"may or may not move {where}:", told


def in_one(before: pd.Series, after: pd.Series, h: Headline) -> tuple[str, str]:
    """Whether a number of the one seed of both moves beyond where another may lie as it was, and how far."""
    (seed,) = before.index.intersection(after.index)
    start, end = (h.text(of[seed]) for of in (before, after))
    if start == end:
        digits = "" if before[seed] == after[seed] else ", at these digits"
        return f"leaves unchanged in seed {seed}{digits}:", h.short
    unit = f" {h.unit}" if h.unit.startswith("percentage") else ""
    return f"moves in seed {seed}, {against(after[seed], before)}:", f"{h.short} from {start} to {end}{unit}"


def one_at_a_time(found: Study) -> str:
    """The lead in test accuracy under each difference of the training by itself: a Markdown item a case.

    Of the experiments with both protocols and a run of such a difference.
    """
    numbers = headlines(found.table).query("number == 'test_gap'").dropna()
    tested = last_epoch(found.table.query("metric == 'accuracy' and split == 'test'"))
    accuracies = tested.pivot(index=[*GROUP, "seed"], columns="architecture", values="value")
    accuracies = accuracies.reindex(columns=[BINARY, *OTHERS])
    lines = []
    for profile, experiment in parts(found):
        mine = numbers[(numbers.profile == profile) & (numbers.experiment == experiment)]
        leads = {name: of.set_index("seed").value for name, of in mine.groupby("protocol", sort=False)}
        between = [name for name in ordered(leads) if _is_of_training(name)]
        if between and BASES.keys() <= leads.keys():
            four = {name: accuracies.loc[profile, experiment, name] for name in leads}
            title = found.title(profile, experiment)
            lines.append(f"- **One difference at a time** ({title}). {_case(leads, between, four)}")
    return "\n".join(lines)


def _case(leads: dict[str, pd.Series], between: list[str], four: dict[str, pd.DataFrame]) -> str:
    """The leads of one experiment, by protocol and seed, and who loses accuracy by what is between both."""
    base = leads["as_written"]
    said = [
        _lead(base, leads[name], f"{in_short(name)}{lost(four['as_written'], four[name])}")
        for name in between
    ]
    written, released = (from_to(list(leads[name]), percentage_points) for name in BASES)
    alone = len(base) > 1 and any(len(leads[name]) == 1 for name in between)
    within = from_to(reach(base), percentage_points) if alone else ""
    one_more = f" (prediction interval of one more seed, 95 %: {within})" if within else ""
    return (
        "Lead of binary encoding over the best of the others in each seed in test accuracy, in percentage "
        f"points: {written} as written{one_more}; {'; '.join(said)}; {released} as released."
    )


def _lead(base: pd.Series, lead: pd.Series, name: str) -> str:
    """The lead with one difference, and how far that moves it in the seeds of both, if several."""
    said = f"{from_to(list(lead), percentage_points)} with {name}"
    if len(lead) == 1:
        return f"{said} in seed {lead.index[0]}"
    moved = change(base, lead, HEADLINES["test_gap"])
    return f"{said}, which moves it by {moved} (n = {moved.n_seeds})" if moved.n_seeds > 1 else said


def lost(before: pd.DataFrame, after: pd.DataFrame) -> str:
    """That all architectures lose accuracy in the mean over the seeds of both, and if binary encoding loses
    least or most; nothing else. A row a seed, a column an architecture.
    """
    losses = (before - after).dropna().mean()
    if not losses.min() > 0:
        return ""
    which = "least" if least(losses) else "most" if least(-losses) else ""
    return f" (all lose accuracy{f', binary encoding {which}' if which else ''})"


def _is_of_training(protocol: str) -> bool:
    """Whether one field of it trains otherwise than as written, and as the released code does."""
    base, field, value = switched(protocol) or ("", "", "")
    return base == "as_written" and value == as_text(BASES["as_released"][field]) and field not in CHANGES


def against(value: float, seeds: pd.Series) -> str:
    """Whether a value lies where a further seed would, by the prediction interval of the given ones."""
    if len(seeds) < 2:
        return "with no second seed to compare"
    low, high = reach(seeds)
    return "within the reach of a seed" if low <= value <= high else "beyond the reach of a seed"


def reach(seeds: pd.Series) -> tuple[float, float]:
    r"""Prediction interval of one more seed, :math:`\bar x \pm t_{n-1} s \sqrt{1 + 1/n}`, of at least two."""
    half = student(len(seeds)) * seeds.std() * math.sqrt(1 + 1 / len(seeds))
    return seeds.mean() - half, seeds.mean() + half


def missing(numbers: pd.DataFrame) -> str:
    """Differences between the protocols of which there is no run, as Markdown."""
    have = {switched(name)[1] for name in numbers.protocol if switched(name)}
    if not have:
        return "No run with a single difference is recorded here."
    lacks = [f for f, v in BASES["as_written"].items() if v != BASES["as_released"][f] and f not in have]
    if not lacks:
        return "Every difference between the two protocols has a run of its own here."
    named = "; ".join(f"`{field}`{f', which {NO_RUN[field]}' if field in NO_RUN else ''}" for field in lacks)
    return f"Differences without a run of their own here: {named}."
