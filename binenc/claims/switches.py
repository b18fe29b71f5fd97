"""What each single difference of the protocols does by itself to headline numbers."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd

from binenc.claims.paper import BINARY, OTHERS
from binenc.protocol import PROTOCOLS, in_words
from binenc.study import GROUP, Study, last_epoch
from binenc.text.words import number, percentage_points, share

BASES = {name: protocol.model_dump() for name, protocol in PROTOCOLS.items()}
CHANGES = {
    "loss_bin": {"loss_bin"},
    "class_of_point": {
        *("code_share", "bit_agreement", "codes_per_class", "codebook_accuracy"),
        *("distinct_codebook_rows", "hamming_mean", "hamming_min"),
        *("equinorm", "equiangularity", "max_angle", "tr_sw_sb", "nc3", "nc4"),
        *("within_class_covariance", "trace_sw"),
    },
    "max_angle_pairs": {"max_angle"},
    "between_class": {"tr_sw_sb"},
}
"""Fields by which the other three architectures train the same networks, and all metrics that they change."""
MEASURING = {"class_of_point", "max_angle_pairs", "between_class"}
"""Those by which binary encoding trains the same networks, too."""


class Headline(NamedTuple):
    """Title, as the head of a column and in a sentence, unit, how a value is written, and whether values can
    span decades.
    """

    title: str
    column: str
    short: str
    unit: str
    write: Callable[[float], str]
    log: bool = False

    def text(self, value: float) -> str:
        return "–" if math.isnan(value) else self.write(value)


HEADLINES = {
    "test_gap": Headline(
        "Test accuracy, binary encoding − best other",
        "Lead, test",
        "the lead in test accuracy",
        "percentage points",
        percentage_points,
    ),
    "train_gap": Headline(
        "Training accuracy, binary encoding − best other",
        "Lead, training",
        "the lead in training accuracy",
        "percentage points",
        percentage_points,
    ),
    "code_share": Headline(
        "Whole-code share, binary encoding",
        "Whole-code share",
        "the whole-code share",
        "share of training points",
        share,
    ),
    "tr_sw_sb": Headline(
        "Tr(Sw Sb⁺)/C, binary encoding",
        "Tr(Sw Sb⁺)/C",
        "Tr(Sw Sb⁺)/C",
        "no unit, training points",
        number,
        True,
    ),
}
"""The numbers that show what a switch does, each of one seed after the last epoch."""

COLUMNS = (
    "Lead: accuracy of binary encoding less that of the best other in each seed, in points; whole-code share "
    "and Tr(Sw Sb⁺)/C: of binary encoding, on training points."
)


def ordered(protocols) -> list[str]:
    """As written first, as released last, the switches between them in their order."""
    rank = {"as_written": 0, "as_released": 2}
    return sorted(dict.fromkeys(protocols), key=lambda name: rank.get(name, 1))


def switched(protocol: str) -> tuple[str, str, str] | None:
    """Base, field and value of a protocol with one field changed, else None."""
    base, *changes = protocol.split(",")
    return (base, *changes[0].split("=")) if len(changes) == 1 else None


def completed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with the rows of a switched protocol that it cannot change (see ``CHANGES``) from its base.

    They take the place of its own, which were trained another time, perhaps on another machine.
    """
    pieces = [table]
    for (profile, experiment, protocol), rows in table.groupby(GROUP, sort=False):
        base, field, _ = switched(protocol) or ("", "", "")
        if field not in CHANGES:
            continue
        same = table[
            (table.profile == profile)
            & (table.experiment == experiment)
            & (table.protocol == base)
            & (table.architecture.isin(OTHERS) | (field in MEASURING))
            & table.seed.isin(rows.seed.unique())
            & ~table.metric.isin(CHANGES[field])
        ]
        pieces.append(same.assign(protocol=protocol))
    key = list(table.columns.drop("value"))
    return pd.concat(pieces).drop_duplicates(key, keep="last", ignore_index=True)


def headlines(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers of ``HEADLINES``: columns profile, experiment, protocol, seed, number, value.

    The value is NaN where an architecture has no record.
    """
    rows = []
    for key, part in last_epoch(completed(table)).groupby([*GROUP, "seed"], sort=False):
        at = part.set_index(["metric", "split", "architecture"]).value
        for split in ("test", "train"):
            others = [at.get(("accuracy", split, other), math.nan) for other in OTHERS]
            best = math.nan if any(map(math.isnan, others)) else max(others)
            gap = 100 * (at.get(("accuracy", split, BINARY), math.nan) - best)
            rows.append((*key, f"{split}_gap", gap))
        rows += [
            (*key, name, at.get((name, "train", BINARY), math.nan)) for name in ("code_share", "tr_sw_sb")
        ]
    return pd.DataFrame(rows, columns=[*GROUP, "seed", "number", "value"])


def parts(found: Study) -> Iterator[tuple[str, str]]:
    """Profiles and experiments with a switched protocol, or with both that the switches lie between."""
    keys = found.table[["profile", "experiment"]].drop_duplicates()
    for profile, experiment in keys.itertuples(index=False, name=None):
        some = found.table[(found.table.profile == profile) & (found.table.experiment == experiment)]
        names = set(some.protocol)
        if set(BASES) <= names or any(switched(name) for name in names):
            yield profile, experiment


def first_seed(numbers: pd.DataFrame) -> int:
    """The least seed of the switched protocols, or of all where there are none."""
    single = numbers[numbers.protocol.map(switched).notna()]
    return int((single if len(single) else numbers).seed.min())


def table_of(numbers: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Headline numbers of one experiment as text: a row a protocol, in brackets the range over seeds."""
    lines = []
    for protocol in ordered(numbers.protocol):
        line = {"Protocol": _row(protocol)}
        for name, h in HEADLINES.items():
            values = (
                numbers[(numbers.protocol == protocol) & (numbers.number == name)].set_index("seed").value
            )
            line[h.column] = _with_range(values, seed, h)
        lines.append(line)
    return pd.DataFrame(lines)


def _row(protocol: str) -> str:
    if not switched(protocol):
        return in_words(protocol).capitalize()
    base, field, value = switched(protocol)
    other = next(name for name in BASES if name != base)
    neither = "" if value == as_text(BASES[other][field]) else ", in neither protocol"
    start = "" if base == "as_written" else f"{in_words(base).capitalize()}, "
    return f"{start}`{field}`: {as_text(BASES[base][field])} → {value}{neither}"


def in_short(protocol: str) -> str:
    """A switched protocol as code, the others in words."""
    base, field, value = switched(protocol) or ("", "", "")
    return f"`{field}={value}`" if base == "as_written" else in_words(protocol)


def as_text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with_range(values: pd.Series, seed: int, h: Headline) -> str:
    mine, rest = h.text(values.get(seed, math.nan)), values.dropna()
    return mine if len(rest) < 2 else f"{mine} ({h.text(rest.min())} to {h.text(rest.max())})"
