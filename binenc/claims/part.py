"""The records of one experiment and protocol, as claims read them."""

import numpy as np
import pandas as pd

from binenc.profile import ARCHITECTURES


class Needs(LookupError):
    """The records lack something that a test needs."""


class Part:
    """The records of one experiment and protocol."""

    def __init__(self, table: pd.DataFrame):
        self.table = table
        self.rows = table.groupby(["metric", "split", "architecture"]).indices
        self.architectures = set(table.architecture)
        self.curves = {}

    def curve(self, metric: str, architecture: str, split: str = "train") -> pd.DataFrame:
        """Values of shape (epochs, seeds).

        Raises
        ------
        Needs : if there are none.
        """
        if architecture not in self.architectures:
            raise Needs(f"there are no records of {ARCHITECTURES[architecture]}")
        key = metric, split, architecture
        if key not in self.rows:
            raise Needs(f"needs {metric} ({split}) in the records of {ARCHITECTURES[architecture]}")
        if key not in self.curves:
            rows = self.table.iloc[self.rows[key]]
            self.curves[key] = rows.pivot(index="epoch", columns="seed", values="value")
        return self.curves[key]

    def course(self, metric: str, architecture: str) -> pd.DataFrame:
        """Values on training points of shape (epochs, seeds), from at least two evaluations.

        Raises
        ------
        Needs : if there are fewer.
        """
        curve = self.curve(metric, architecture)
        if len(curve) < 2:
            raise Needs("needs more than one evaluated epoch")
        return curve

    def final(self, metric: str, architecture: str, split: str = "train") -> pd.Series:
        """Values after the last epoch, by seed."""
        return self.curve(metric, architecture, split).iloc[-1]

    def change(self, metric: str, architecture: str, log: bool = False) -> pd.Series:
        """Last less first evaluated epoch, by seed, of the values or of their logarithms."""
        curve = self.course(metric, architecture)
        curve = np.log(curve.where(curve > 0)) if log else curve
        return curve.iloc[-1] - curve.iloc[0]

    def lead(self, metric: str, over: str, split: str = "train", of: str = "binary_encoding") -> pd.Series:
        """Difference of two architectures after the last epoch, for the seeds that both have."""
        a, b = self.final(metric, of, split), self.final(metric, over, split)
        seeds = a.index.intersection(b.index)
        return a[seeds] - b[seeds]
