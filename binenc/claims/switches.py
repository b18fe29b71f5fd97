"""What each single difference of the protocols does by itself to headline numbers, in one seed."""

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pandas as pd

from binenc.claims.effect import student
from binenc.claims.paper import BINARY, OTHERS
from binenc.protocol import PROTOCOLS, in_words
from binenc.study import GROUP, Study, last_epoch
from binenc.text.words import from_to, number, percentage_points, share

BASES = {name: protocol.model_dump() for name, protocol in PROTOCOLS.items()}
NO_RUN = {
    "cnn_dense_layers": "concerns the CNN alone",
    "learning_rate": "acts from its first halving on",
    "max_angle_pairs": "maps every max angle linearly (for ten classes, v to 9/11 v + 20/99)",
    "between_class": "multiplies every Tr(Sw Sb⁺)/C by (C − 1)/C where classes are equally large",
}
"""What a difference does, where that is known without a run."""
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
    "Lead: accuracy of binary encoding less that of the best other, in percentage points; whole-code share "
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
    """Add to each switched protocol the rows of its base that it cannot change (see ``CHANGES``)."""
    added = [table]
    for (profile, experiment, protocol), rows in table.groupby(GROUP, sort=False):
        base, field, _ = switched(protocol) or ("", "", "")
        if field not in CHANGES:
            continue
        same = table[
            (table.profile == profile)
            & (table.experiment == experiment)
            & (table.protocol == base)
            & table.architecture.isin(set(OTHERS) - set(rows.architecture))
            & table.seed.isin(rows.seed.unique())
            & ~table.metric.isin(CHANGES[field])
        ]
        added.append(same.assign(protocol=protocol))
    return pd.concat(added, ignore_index=True)


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
    reading = "" if value == _text(BASES[other][field]) else ", another reading"
    start = "" if base == "as_written" else f"{in_words(base).capitalize()}, "
    return f"{start}`{field}`: {_text(BASES[base][field])} → {value}{reading}"


def in_short(protocol: str) -> str:
    """A switched protocol as code, the others in words."""
    base, field, value = switched(protocol) or ("", "", "")
    return f"`{field}={value}`" if base == "as_written" else in_words(protocol)


def _text(value) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _with_range(values: pd.Series, seed: int, h: Headline) -> str:
    mine, rest = _number(values.get(seed, math.nan), h), values.dropna()
    return mine if len(rest) < 2 else f"{mine} ({_number(rest.min(), h)} to {_number(rest.max(), h)})"


def _number(value: float, h: Headline) -> str:
    return "–" if math.isnan(value) else h.write(value)


def sentences(numbers: pd.DataFrame, seed: int) -> str:
    """What each switch does to each headline number, against what seeds differ by, as Markdown items."""
    lines = []
    at = numbers.set_index(["number", "protocol", "seed"]).value.sort_index()
    for protocol in filter(switched, ordered(numbers.protocol)):
        base, field, value = switched(protocol)
        said: dict[str, list[str]] = {}
        for name, h in HEADLINES.items():
            before, after = (at.get((name, p, seed), math.nan) for p in (base, protocol))
            if math.isnan(before) or math.isnan(after):
                continue
            start, end = _number(before, h), _number(after, h)
            if start == end:
                what, told = f"leaves unchanged{'' if before == after else ', at these digits'}:", h.short
            else:
                unit = f" {h.unit}" if h.unit.startswith("percentage") else ""
                what = f"moves, {against(after, at[name, base].dropna())},"
                told = f"{h.short} from {start} to {end}{unit}"
            said.setdefault(what, []).append(told)
        head = f"- `{field}` alone, from `{_text(BASES[base][field])}` to `{value}` (seed {seed}), "
        moves = [f"{what} {'; '.join(some)}" for what, some in said.items()]
        lines.append(head + (". It ".join(moves) if moves else "has no record to compare yet") + ".")
    return "\n".join(lines) or "No run with a single difference is recorded here."


def one_at_a_time(found: Study) -> str:
    """The lead in test accuracy under each difference of the training by itself: a Markdown item a case.

    Of the experiments with both protocols and a run of such a difference.
    """
    numbers = headlines(found.table)
    at = numbers[numbers.number == "test_gap"].set_index([*GROUP, "seed"]).value.dropna().sort_index()
    lines = []
    for profile, experiment in parts(found):
        mine = at.get((profile, experiment), pd.Series(dtype=float))
        leads = {p: of.droplevel("protocol") for p, of in mine.groupby("protocol", sort=False)}
        between = [p for p in ordered(leads) if _is_of_training(p)]
        if not between or not BASES.keys() <= leads.keys():
            continue
        base, seed = leads["as_written"], leads[between[0]].index.min()
        said = [
            f"{percentage_points(leads[p][seed])} with {in_short(p)}" for p in between if seed in leads[p]
        ]
        written, released = (from_to(list(leads[p]), percentage_points) for p in BASES)
        within = from_to(reach(base), percentage_points) if len(base) > 1 else ""
        one_more = f" (prediction interval of one more seed, 95 %: {within})" if within else ""
        lines.append(
            f"- **One difference at a time** ({found.title(profile, experiment)}; seed {seed}). Lead of "
            "binary encoding over the best of the others in test accuracy, in percentage points: "
            f"{written} as written{one_more}; {'; '.join(said)}; {released} as released."
        )
    return "\n".join(lines)


def _is_of_training(protocol: str) -> bool:
    """Whether one field of it trains otherwise than as written, and as the released code does."""
    base, field, value = switched(protocol) or ("", "", "")
    return base == "as_written" and value == _text(BASES["as_released"][field]) and field not in CHANGES


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
    lacks = [f for f, v in BASES["as_written"].items() if v != BASES["as_released"][f] and f not in have]
    if not lacks:
        return "Every difference between the two protocols has a run of its own here."
    named = "; ".join(f"`{field}`{f', which {NO_RUN[field]}' if field in NO_RUN else ''}" for field in lacks)
    return f"Differences without a run of their own here: {named}."
