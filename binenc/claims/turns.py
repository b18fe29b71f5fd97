"""Which claims turn where a single difference of the protocols is switched: the numbers of one seed."""

import pandas as pd

from binenc.claims.judging import judge_table, sized
from binenc.claims.paper import CLAIMS
from binenc.claims.switches import BASES, completed, in_short, ordered, switched
from binenc.claims.verdict import Verdict
from binenc.protocol import in_words
from binenc.study import Study
from binenc.text.words import counted


def agreement(found: Study, profile: str, experiment: str, seed: int) -> pd.DataFrame:
    """Whether the numbers of one seed alone lie where each claim puts them: columns protocol, claim, agrees.

    ``agrees`` is True, False or, where something has no record, None. It says nothing of how sure that is.
    """
    table = sized(found)
    table = completed(table[(table.profile == profile) & (table.experiment == experiment)])
    judged = judge_table(table[table.seed == seed])
    rows = [(v.protocol, v.claim.number, v.on_side) for v in judged]
    return pd.DataFrame(rows, columns=["protocol", "claim", "agrees"]).astype({"agrees": object})


def agreement_table(agrees: pd.DataFrame) -> pd.DataFrame:
    """The same as text: a row a protocol, a column a claim, by number."""
    words = {True: "yes", False: "no", None: "–"}
    by_claim = agrees.set_index(["protocol", "claim"]).agrees
    return pd.DataFrame(
        {"Protocol": in_short(p)} | {f"{c.number}": words[by_claim[p, c.number]] for c in CLAIMS}
        for p in ordered(agrees.protocol)
    )


def changes(judged: list[Verdict], agrees: pd.DataFrame, profile: str, experiment: str, seed: int) -> str:
    """Which verdicts differ between the protocols, and which claims' numbers alone do, as Markdown."""
    here = [v for v in judged if (v.profile, v.experiment) == (profile, experiment)]
    differ, turn = [], []
    for c in CLAIMS:
        both = {v.protocol: v for v in here if v.claim is c and v.protocol in BASES}
        mine = agrees[agrees.claim == c.number].set_index("protocol").agrees
        start, end = mine.get("as_written"), mine.get("as_released")
        switches = [p for p in ordered(mine.index) if switched(p)]
        several = [v for v in here if v.claim is c and v.n_seeds > 1]
        judged_so = {v.protocol: f" ({counted(v.n_seeds, 'seed')}: {_verdict(v)})" for v in several}
        differing = [
            in_short(v.protocol) + judged_so[v.protocol]
            for v in several
            if switched(v.protocol) and v.verdict != both.get(switched(v.protocol)[0], v).verdict
        ]
        turning = [
            in_short(p) + judged_so.get(p, "")
            for p in switches
            if {mine[p], mine.get(switched(p)[0])} == {True, False}
        ]
        verdicts = list(dict.fromkeys(v.verdict for v in both.values()))
        changed = len(verdicts) == 2
        leans = [f"{v.lean or 'neither way'} {in_words(v.protocol)}" for v in both.values()]
        turned = len({v.lean for v in both.values()}) == 2
        if (
            not changed
            and not turned
            and not turning
            and not differing
            and (start is end or None in (start, end))
        ):
            continue
        name = f"[Claim {c.number}](#claim-{c.number}) ({c.statement})"
        said = ", ".join(map(_told, both.values()))
        if not changed:
            said = "".join(verdicts) + (" under both" if len(both) == 2 else "")
            said += f", leans {', '.join(leans)}" if turned else ""
        line = f"- {name}: {said}. The numbers of seed {seed} {_sides(start, end)}."
        if switches:
            known = "" if all(mine[p] is not None for p in switches) else " of those with all records"
            none = f" No single switch{known} changes that."
            line += f" Turned by one switch alone: {', '.join(turning)}." if turning else none
        line += f" Another verdict by one switch alone: {', '.join(differing)}." if differing else ""
        (differ if changed else turn).append(line)
    text = []
    if set(BASES) - {v.protocol for v in here}:
        text.append("Not both protocols have records here, so no two verdicts can be compared.")
    else:
        head = "Verdicts that differ (fewer seeds mean wider intervals, which alone can change a verdict):\n"
        text.append("\n".join([head, *differ]) if differ else "No verdict differs.")
    if turn:
        head = (
            "The verdict is the same under both, but where it leans, the side of the numbers of seed "
            f"{seed}, or the verdict under a switch is not:\n"
        )
        text.append("\n".join([head, *turn]))
    return "\n\n".join(text)


def _told(v: Verdict) -> str:
    return f"{_verdict(v)}{',' * bool(v.lean)} {in_words(v.protocol)} ({counted(v.n_seeds, 'seed')})"


def _verdict(v: Verdict) -> str:
    return f"**{v.verdict}**{f', leans {v.lean}' if v.lean else ''}"


def _sides(start: bool | None, end: bool | None) -> str:
    if start is end:
        return {True: "agree with it under both", False: "agree with it under neither"}.get(
            start, "are not all there under either"
        )
    return f"{_agrees(start)} as written and {_agrees(end)} as released"


def _agrees(side: bool | None) -> str:
    return {True: "agree with it", False: "do not agree with it", None: "are not all there"}[side]
