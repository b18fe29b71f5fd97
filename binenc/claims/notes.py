"""What a claim says beside its verdict: where the scale or another measure makes the difference."""

from dataclasses import replace

import pandas as pd

from binenc.claims.effect import BETWEEN, Effect, interval
from binenc.claims.verdict import decide
from binenc.text import words

NO_SIMPLEX = "a class has no point or all class means coincide"
"""When measures of neural collapse have no value."""
NEARLY_ALL = 0.999
"""Accuracies above are said to be at a ceiling."""
LATE = 5
"""Evaluations that are averaged, for one by itself may be high or low by chance."""


def otherwise(measure: str, its: list[Effect], deciding: list[Effect]) -> str:
    """What the verdict would be by effects that do not decide, where that is another; all must hold."""
    (by_it, _), (verdict, _) = (decide(effects, one_suffices=False) for effects in (its, deciding))
    return f"judged by {measure} it would be {by_it}" if by_it != verdict else ""


def together(*notes: str) -> str:
    """Those that say something."""
    return BETWEEN.join(filter(None, notes))


def by_scale(score: pd.Series, standardised: pd.Series) -> str:
    """What remains without the scale of the latents, and what follows if that is the reverse, or may be 0."""
    mean, low, high = interval(standardised)
    moves = (
        f"{'rises' if mean > 0 else 'falls'} by {abs(mean):.2f}" if abs(mean) >= 0.005 else "stays as it is"
    )
    reverse = ((score * standardised) < 0).all()
    if reverse:
        return f"for standardised latents it {moves} on average, so their scale makes the difference"
    unsure = ", with an interval that holds 0" if low <= 0 <= high else ""
    return f"for standardised latents it {moves} on average{unsure}"


def on_the_way(share: pd.DataFrame, bound: float) -> str:
    """When a share (epochs, seeds) was above its bound; if it ends below, that it was higher, or rises."""
    means = share.mean(axis=1)
    above = means.index[means > bound]
    if means.iloc[-1] > bound:
        often = f"at {len(above)} of {len(means)} evaluations, first after epoch {above[0]}"
        return f"the mean share is above {bound:g} {often}"
    if means.max() - means.iloc[-1] > 0.01:
        return f"the mean share had been higher, {words.share(means.max())} after epoch {means.idxmax()}"
    rise = 100 * means.diff().iloc[-1]
    if not rise >= 0.005:  # or it would be by 0.00
        return ""
    epochs = share.index[-1] - share.index[-2]
    return f"still rising, by {rise:.2f} percentage points in the last {epochs} epochs"


def ahead(mine: pd.DataFrame, *others: pd.DataFrame) -> str:
    """When accuracies (epochs, seeds) were above all others on average, and if they can be in the end.

    Of the seeds that all have.
    """
    seeds = sorted(set.intersection(*map(set, (mine, *others))))
    if not seeds:
        return ""
    mine, *others = (accuracy[seeds] for accuracy in (mine, *others))
    leads = pd.concat([(mine - other).mean(axis=1) for other in others], axis=1).min(axis=1)
    there = leads.index[leads.round(words.DECIMALS) > 0]
    when = f"at {len(there)} of {len(leads)} evaluations"
    said = f"on average binary encoding is ahead of all {len(others)} {when}"
    if len(there) and there[-1] < leads.index[-1]:
        said += f", last after epoch {there[-1]}"
    before, last = leads.iloc[-2:] if len(leads) > 1 else (0, 0)
    if 0 < last < before / 2:
        points = (words.percentage_points(100 * lead) for lead in (before, last))
        said += f", its smallest lead {' and then '.join(points)} percentage points at the last two"
    best = pd.concat([other.iloc[-1] for other in others], axis=1).max(axis=1)
    perfect = (best == 1).sum()
    none = f"{words.in_seeds(perfect, len(best))} one of the others has accuracy 1, which cannot be exceeded"
    wrong, least = (words.number(100 * (1 - last).mean(), 2) for last in (mine.iloc[-1], best))
    ceiling = f"little room is left: {wrong} % of the points are missed, {least} % by the best of the others"
    near = min(mine.iloc[-1].mean(), best.mean()) > NEARLY_ALL
    return together(said, ceiling if near else "", none if perfect else "")


def lately(leads: list[Effect], mine: pd.DataFrame, *others: pd.DataFrame) -> str:
    """What the verdict would be by average accuracies (epochs, seeds) of the last of many evaluations."""
    if len(mine) < 2 * LATE:
        return ""
    average = [
        replace(e, values=100 * (mine - other)[e.values.index].iloc[-LATE:].mean())
        for e, other in zip(leads, others, strict=True)
    ]
    return otherwise(f"the average of the last {LATE} evaluations", average, leads)


def receded(gain: pd.DataFrame) -> str:
    """That the gain (epochs, seeds) of two peaks over one had been larger by a tenth or more, and when."""
    means = gain.mean(axis=1)
    if not means.iloc[-1] < 0.9 * means.max():
        return ""
    ends = f"{words.number(means.max())} nats after epoch {means.idxmax()}, {words.number(means.iloc[-1])}"
    return f"the gain of two peaks over one had been {ends} in the end"


def beside_the_best(leads: list[Effect], margin: float) -> str:
    """That binary encoding is no farther from the best of the others than these may be from each other."""
    if not leads or not all(abs(lead.interval.mean) < margin for lead in leads):
        return ""
    said = " and ".join(lead.number(lead.interval.mean) for lead in leads)
    return f"on average binary encoding is as close to the best of them ({said} percentage points)"


def without_scale(change: list[Effect]) -> str:
    """Where the variance within classes, relative to that between them, falls, as the paper says it does."""
    means = [effect.interval.mean for effect in change]
    falls, defined = sum(mean < 0 for mean in means), sum(mean == mean for mean in means)
    if defined < 2:
        return ""
    where = "all four" if falls == len(means) else f"{falls} of {defined} architectures"
    if defined < len(means):
        where += ", and is not defined at both ends in the others"
    return f"measured against the spread of class means, by Tr(Sw Sb⁺)/C, it falls in {where}"


def begins_without(curve: pd.DataFrame) -> str:
    """That a measure (epochs, seeds) has no value at the first evaluation, and why."""
    n = curve.iloc[0].isna().sum()
    return f"it begins, {words.in_seeds(n, curve.shape[1])}, where {NO_SIMPLEX}" if n else ""
