"""What a claim is judged by: numbers that every seed has, with an interval over seeds."""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats

from binenc.text.words import DECIMALS, number, percentage_points, share

CONFIDENCE = 0.95
"""Of each interval by itself; nothing is corrected for the number of claims."""
BETWEEN = "; "
"""Stands between the remarks of a note."""


class Interval(NamedTuple):
    """A mean over seeds and its interval; the limits are NaN with one seed."""

    mean: float
    low: float
    high: float


def student(n, confidence: float = CONFIDENCE):
    """How many standard errors a two-sided interval of Student's t over n values, at least 2, reaches."""
    return stats.t.ppf((1 + confidence) / 2, n - 1)


def interval(values) -> Interval:
    r"""Student's t interval of a mean, :math:`\bar x \pm t_{n-1} s / \sqrt n`.

    Parameters
    ----------
    values : n numbers, one a seed
    """
    values = pd.Series(values, dtype=float)
    n, mean = len(values), values.mean(skipna=False)
    if n < 2:
        return Interval(mean, math.nan, math.nan)
    half = student(n) * values.std(skipna=False) / math.sqrt(n)
    return Interval(mean, mean - half, mean + half)


@dataclass(frozen=True)
class Effect:
    """A number that every seed has, and the range, ``above`` to ``below``, in which a claim puts it.

    ``values`` is indexed by seed. Those of a ``ratio`` are natural logarithms, and so are the bounds; shown
    are the ratios. An ``exact`` effect is no sample: it holds if every value is 0. One without ``decides`` is
    shown for information.
    """

    name: str
    values: pd.Series
    unit: str
    above: float = -math.inf
    below: float = math.inf
    ratio: bool = False
    exact: bool = False
    decides: bool = True
    note: str = ""
    farthest: float = math.inf
    """No value can lie farther from 0; else those of shares lie in 0 to 1, percentage points within ± 100."""
    at_most: pd.Series | None = None
    """The greatest value that each seed could have had, where what it is compared with limits it."""

    @property
    def n_seeds(self) -> int:
        return len(self.values)

    @property
    def is_share(self) -> bool:
        return self.unit.startswith("share of")

    @cached_property
    def interval(self) -> Interval:
        """On the scale of the values; it ends where these must."""
        points = 100 if self.unit == "percentage points" else math.inf
        farthest = self.farthest if math.isfinite(self.farthest) else points
        low, high = (0, 1) if self.is_share else (-farthest, farthest)
        return Interval(*(round(float(x), DECIMALS) for x in np.clip(interval(self.values), low, high)))

    @property
    def shown(self) -> Interval:
        """On the scale of the unit."""
        return Interval(*(math.exp(min(x, 700.0)) for x in self.interval)) if self.ratio else self.interval

    @property
    def state(self) -> str:
        """``holds`` or ``fails`` if the whole interval lies inside or outside the range, else ``open``."""
        mean, low, high = self.interval
        if self.exact and not math.isnan(mean):
            return "holds" if (self.values == 0).all() else "fails"
        if low > self.above and high < self.below:
            return "holds"
        return "fails" if high < self.above or low > self.below else "open"

    @property
    def without_width(self) -> bool:
        """Whether the interval says nothing of how far another seed may be, as all have the same value."""
        return self.n_seeds > 1 and np.ptp(self.values) < 10**-DECIMALS and not self.exact

    @property
    def tied(self) -> bool:
        """Whether it is without width, shares aside: those are alike at an end of their range."""
        return self.without_width and not self.is_share

    @property
    def capped(self) -> bool:
        """Whether it fails, and would not hold if all values were the greatest that they could be."""
        if self.at_most is None or self.state != "fails":
            return False
        return replace(self, values=self.at_most[self.values.index]).state != "holds"

    @property
    def on_side(self) -> bool | None:
        """Whether the mean alone, however sure, lies in the range; None if it is not defined."""
        mean = self.interval.mean
        if math.isnan(mean):
            return None
        return mean == 0 if self.exact else self.above < mean < self.below

    @property
    def inside(self) -> float:
        """Distance of the mean from the nearer bound, positive inside; minus infinity of no mean."""
        mean = self.interval.mean
        if math.isnan(mean):
            return -math.inf
        return -abs(mean) if self.exact else min(mean - self.above, self.below - mean)

    @property
    def support(self) -> float:
        """The same in standard errors (if any)."""
        error = self.values.std() / math.sqrt(self.n_seeds) if self.n_seeds > 1 else 1.0
        return self.inside / error if error > 0 else self.inside * math.inf if self.inside else 0.0

    @property
    def by_seed(self) -> str:
        """The values, on the scale of the unit."""
        return ", ".join(number(math.exp(x) if self.ratio else x) for x in self.values)

    @property
    def claimed(self) -> str:
        """The range in words."""
        if self.exact:
            return "= 0"
        low, high = (math.exp(x) if self.ratio else x + 0.0 for x in (self.above, self.below))
        if low == -high:
            return f"within ± {high:g}"
        if math.isfinite(self.above) and math.isfinite(self.below):
            return f"{low:g} to {high:g}"
        return f"> {low:g}" if math.isfinite(self.above) else f"< {high:g}"

    def number(self, x: float) -> str:
        if self.ratio:
            return number(x)
        if self.exact:
            return f"{x:+,.0f}" if x else "0"
        if self.unit == "percentage points":
            return percentage_points(x, small=min(map(abs, self.interval)) < 1)
        return share(x) if self.is_share else f"{round(x, 2) + 0.0:+.2f}".replace("-", "−")

    def __str__(self) -> str:
        mean, low, high = self.shown
        if math.isnan(mean):
            return "not defined"
        limits = "" if math.isnan(low) or self.exact else f" [{self.number(low)}, {self.number(high)}]"
        return ("×\N{NO-BREAK SPACE}" if self.ratio else "") + self.number(mean) + limits
