"""What each single difference of the protocols does by itself to headline numbers and claims, in one seed."""

import math
from collections.abc import Iterator

import pandas as pd

from binenc.claims import BINARY, CLAIMS, OTHERS, judge_table, parameter_counts
from binenc.prose import number
from binenc.protocol import AS_RELEASED, AS_WRITTEN
from binenc.study import Study, last_epoch
from binenc.verdict import Verdict, in_words

BASES = {"as_written": AS_WRITTEN.model_dump(), "as_released": AS_RELEASED.model_dump()}
NO_RUN = {
    "cnn_dense_layers": "concerns the CNN alone",
    "max_angle_pairs": "changes every max angle by the same linear function, whatever the architecture",
    "between_class": "multiplies every Tr(Sw Sb⁺)/C by (C − 1)/C where classes are equally large",
}
"""What a difference does, where that is known without a run."""
UNTOUCHED = {
    "loss_bin": None,
    "class_of_point": "accuracy",
    "max_angle_pairs": "accuracy",
    "between_class": "accuracy",
}
"""Fields that leave the other three architectures as they are: all of their metrics (None), or this one."""
HEADLINES = {
    "test_gap": ("Test accuracy: binary encoding − best other", "percentage points", False),
    "train_gap": ("Training accuracy: binary encoding − best other", "percentage points", False),
    "code_share": ("Points sharing their class's code, binary encoding", "share of training points", False),
    "tr_sw_sb": ("Tr(Sw Sb⁺)/C, binary encoding", "training points, no unit", True),
}
"""Title, unit, and whether values can span decades, of the numbers that a switch is judged by."""


def switched(protocol: str) -> tuple[str, str, str] | None:
    """Base, field and value of a protocol with one field changed, else None."""
    base, *changes = protocol.split(",")
    return (base, *changes[0].split("=")) if len(changes) == 1 else None


def completed(table: pd.DataFrame) -> pd.DataFrame:
    """Add to each switched protocol the rows of its base that it cannot change (see ``UNTOUCHED``)."""
    added = [table]
    for (profile, experiment, protocol), rows in table.groupby(
        ["profile", "experiment", "protocol"], sort=False
    ):
        base, field, _ = switched(protocol) or ("", "", "")
        if field not in UNTOUCHED:
            continue
        same = table[
            (table.profile == profile)
            & (table.experiment == experiment)
            & (table.protocol == base)
            & table.architecture.isin(set(OTHERS) - set(rows.architecture))
            & table.seed.isin(rows.seed.unique())
        ]
        if UNTOUCHED[field]:
            same = same[same.metric == UNTOUCHED[field]]
        added.append(same.assign(protocol=protocol))
    return pd.concat(added, ignore_index=True)


def headlines(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers of ``HEADLINES``: columns profile, experiment, protocol, seed, number, value.

    The value is NaN where an architecture has no record.
    """
    rows = []
    for key, part in last_epoch(completed(table)).groupby(
        ["profile", "experiment", "protocol", "seed"], sort=False
    ):
        at = part.set_index(["metric", "split", "architecture"]).value
        for split in ("test", "train"):
            others = [at.get(("accuracy", split, other), math.nan) for other in OTHERS]
            best = math.nan if any(map(math.isnan, others)) else max(others)
            gap = 100 * (at.get(("accuracy", split, BINARY), math.nan) - best)
            rows.append((*key, f"{split}_gap", gap))
        rows += [
            (*key, name, at.get((name, "train", BINARY), math.nan)) for name in ("code_share", "tr_sw_sb")
        ]
    return pd.DataFrame(rows, columns=["profile", "experiment", "protocol", "seed", "number", "value"])


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


def ordered(protocols) -> list[str]:
    """As written first, as released last, the switches between them in their order."""
    rank = {"as_written": 0, "as_released": 2}
    return sorted(dict.fromkeys(protocols), key=lambda name: rank.get(name, 1))


def table_of(numbers: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Headline numbers of one experiment as text: a row a protocol, in brackets the range over seeds."""
    lines = []
    for protocol in ordered(numbers.protocol):
        line = dict(zip(("Switched alone", "As written", "As released"), _row(protocol), strict=True))
        for name, (title, unit, _) in HEADLINES.items():
            values = (
                numbers[(numbers.protocol == protocol) & (numbers.number == name)].set_index("seed").value
            )
            line[f"{title} ({unit})"] = _with_range(values, seed)
        lines.append(line)
    return pd.DataFrame(lines)


def _row(protocol: str) -> tuple[str, str, str]:
    if protocol in BASES:
        return f"({in_words(protocol)})", "", ""
    _, field, value = switched(protocol)
    released = str(BASES["as_released"][field])
    note = "" if value.lower() == released.lower() else f" (here {value})"
    return f"`{field}`", str(BASES["as_written"][field]), released + note


def _with_range(values: pd.Series, seed: int) -> str:
    mine = number(values.get(seed, math.nan))
    rest = values.dropna()
    return mine if len(rest) < 2 else f"{mine} ({number(rest.min())} to {number(rest.max())})"


def sentences(numbers: pd.DataFrame, seed: int) -> str:
    """What each switch does to each headline number, against what seeds differ by, as Markdown items."""
    lines = []
    for protocol in ordered(numbers.protocol):
        if protocol in BASES:
            continue
        base, field, value = switched(protocol)
        said = []
        for name, (title, unit, _) in HEADLINES.items():
            part = numbers[numbers.number == name].set_index(["protocol", "seed"]).value.sort_index()
            before, after = part.get((base, seed), math.nan), part.get((protocol, seed), math.nan)
            if math.isnan(before) or math.isnan(after):
                continue
            seeds = part[base].dropna() if base in part.index.get_level_values(0) else part.iloc[:0]
            outside = not seeds.min() <= after <= seeds.max()
            against = f"{'outside' if outside else 'within'} the range of {len(seeds)} seeds {in_words(base)}"
            against = against if len(seeds) > 1 else "one seed, so nothing to compare the move with"
            said.append(f"  - {title}: from {number(before)} to {number(after)} {unit}, {against}.")
        was = BASES[base][field]
        head = f"- Switching `{field}` alone from `{was}` to `{value}` (seed {seed}) moves"
        lines += [f"{head}:", *said] if said else [f"{head} what has no record yet."]
    return "\n".join(lines) or "No run with a single difference is recorded here."


def missing(numbers: pd.DataFrame) -> str:
    """Differences between the protocols of which there is no run, as Markdown."""
    have = {switched(name)[1] for name in numbers.protocol if switched(name)}
    lacks = [f for f, v in BASES["as_written"].items() if v != BASES["as_released"][f] and f not in have]
    if not lacks:
        return "Every difference between the two protocols has a run of its own here."
    named = "; ".join(f"`{field}`{f', which {NO_RUN[field]}' if field in NO_RUN else ''}" for field in lacks)
    return f"Differences without a run of their own here: {named}."


def agreement(found: Study, profile: str, experiment: str, seed: int) -> pd.DataFrame:
    """Whether the numbers of one seed alone lie where each claim puts them: columns protocol, claim, agrees.

    ``agrees`` is True, False or, where something has no record, None. It says nothing of how sure that is.
    """
    table = pd.concat([found.table, parameter_counts(found)], ignore_index=True)
    table = completed(table[(table.profile == profile) & (table.experiment == experiment)])
    judged = judge_table(table[table.seed == seed])
    rows = [(v.protocol, v.claim.number, v.on_side) for v in judged]
    return pd.DataFrame(rows, columns=["protocol", "claim", "agrees"])


def agreement_table(agrees: pd.DataFrame) -> pd.DataFrame:
    """The same as text: a row a claim, a column a protocol."""
    words = {True: "yes", False: "no", None: "–"}
    lines = []
    for c in CLAIMS:
        mine = agrees[agrees.claim == c.number].set_index("protocol").agrees
        line = {"": c.number, "Claim": c.statement}
        lines.append(line | {_short(p): words[mine[p]] for p in ordered(agrees.protocol)})
    return pd.DataFrame(lines)


def _short(protocol: str) -> str:
    return f"`{protocol.split(',')[1]}`" if switched(protocol) else in_words(protocol)


def changes(judged: list[Verdict], agrees: pd.DataFrame, profile: str, experiment: str, seed: int) -> str:
    """Which verdicts differ between the protocols, and which switch alone turns a claim, as Markdown."""
    here = [v for v in judged if (v.profile, v.experiment) == (profile, experiment)]
    lines = []
    for c in CLAIMS:
        both = {v.protocol: v.verdict for v in here if v.claim is c and v.protocol in BASES}
        mine = agrees[agrees.claim == c.number].set_index("protocol").agrees
        start = mine.get("as_written")
        across = [_short(p) for p in ordered(agrees.protocol) if switched(p) and mine[p] is (not start)]
        if len(set(both.values())) > 1:
            said = f"**{both['as_written']}** as written, **{both['as_released']}** as released"
        elif across and start is not None:
            said = f"{next(iter(both.values()), 'not judged')} under {' and '.join(map(in_words, both))}"
        else:
            continue
        side = "agrees" if start else "does not agree"
        alone = (
            f"one that changes this by itself: {', '.join(across)}"
            if across
            else "no single switch changes this"
        )
        single = f" In seed {seed} alone the claim {side} with the numbers as written; {alone}."
        lines.append(
            f"- [Claim {c.number}](#claim-{c.number}), {c.statement[0].lower()}{c.statement[1:]}: {said}."
            + (single if start is not None else "")
        )
    if set(BASES) - {v.protocol for v in here}:
        lines.insert(0, "Only one of the two protocols has records here, so no two verdicts can be compared.")
    return "\n".join(lines) or "No verdict differs, and no single switch turns a claim."
