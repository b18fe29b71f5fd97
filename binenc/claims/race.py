"""Which architecture collapses sooner, by one measure in one seed: what claim 8 is judged by."""

import math
from typing import NamedTuple

import numpy as np
from scipy.integrate import trapezoid

FLOOR = 1e-12
"""The least value of a measure on the log scale: float32 latents do not resolve less."""


class Race(NamedTuple):
    """The first of some curves, of which lower is more collapsed, against the best of the rest."""

    time: float
    """Epochs from where one of the rest is first at or below their best final value to where the first is."""
    area: float
    """Logarithm of the geometric mean over the epochs, less that of the lowest of the rest."""
    ahead: np.ndarray
    """At each evaluation 1 where it is below all of the rest, else 0; NaN where a curve has no value."""
    apart: float
    """Logarithm of its largest value over the least of the rest, each at any evaluation defined in all."""
    never: bool
    """It never comes to that value, and its time is the least that it can be."""
    at_once: bool
    """It is there at the first evaluation."""
    from_start: bool
    """One of the rest is, so that nothing can be there before it."""


def race(curves: np.ndarray, epochs: np.ndarray) -> Race:
    """Compare the first of the curves (k, T), evaluated after epochs (T,), with the rest.

    Time and area are NaN where they are not defined: a curve of the rest has no last value, or fewer than two
    evaluations are defined in all curves.
    """
    mine, *rest = curves
    target = curves[1:, -1].min()
    reached, theirs = first_at(mine, epochs, target), min(first_at(curve, epochs, target) for curve in rest)
    defined = ~np.isnan(curves).any(axis=0)
    area, *areas = (log_area(curve[defined], epochs[defined]) for curve in curves)
    return Race(
        time=reached - theirs,
        area=area - min(areas),
        ahead=np.where(defined, mine < curves[1:].min(axis=0), np.nan),
        apart=log(mine[defined]).max() - log(curves[1:, defined]).min() if defined.any() else math.nan,
        never=reached > epochs[-1],
        at_once=reached == epochs[0],
        from_start=theirs == epochs[0],
    )


def first_at(curve: np.ndarray, epochs: np.ndarray, target: float) -> float:
    """First evaluated epoch with a value of at most the target; without one, an evaluation past the last."""
    if math.isnan(target):
        return math.nan
    there = epochs[curve <= target]
    return there[0] if len(there) else one_more(epochs)


def one_more(epochs: np.ndarray) -> float:
    """The epoch whose evaluation would come next."""
    return 2 * epochs[-1] - epochs[-2]


def log_area(curve: np.ndarray, epochs: np.ndarray) -> float:
    """Mean of a measure's logarithm over the epochs, by the trapezoidal rule; NaN of fewer than two."""
    if len(epochs) < 2:
        return math.nan
    return trapezoid(log(curve), epochs) / (epochs[-1] - epochs[0])


def log(values: np.ndarray) -> np.ndarray:
    """The natural logarithm, of values below `FLOOR` that of the floor."""
    return np.log(np.maximum(values, FLOOR))
