"""Which claims turn where a single difference of the protocols is switched: the numbers of one seed."""

from dataclasses import dataclass

import pandas as pd

from binenc.claims.judging import judge_table, sized
from binenc.claims.paper import CLAIMS
from binenc.claims.switches import BASES, completed, in_short, ordered, switched
from binenc.claims.verdict import Claim, Verdict
from binenc.protocol import in_words
from binenc.study import Study
from binenc.text.words import counted

UNDECIDED = "undecided"


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


@dataclass(frozen=True)
class Case:
    """A claim on one experiment: by protocol its verdict, and whether the numbers of one seed agree."""

    claim: Claim
    verdicts: dict[str, Verdict]
    agrees: dict[str, bool | None]

    @property
    def both(self) -> list[Verdict]:
        return [self.verdicts[name] for name in BASES if name in self.verdicts]

    @property
    def switches(self) -> list[str]:
        return [name for name in ordered(self.agrees) if switched(name)]

    @property
    def differs(self) -> bool:
        """Whether the protocols have two verdicts."""
        return len({v.verdict for v in self.both}) == 2

    @property
    def leans_apart(self) -> bool:
        return len({v.lean for v in self.both}) == 2

    @property
    def turning(self) -> list[str]:
        """Switches that turn the numbers of the one seed from agreeing to not agreeing, or back."""
        return [p for p in self.switches if {self.agrees[p], self.agrees.get(base(p))} == {True, False}]

    @property
    def differing(self) -> list[str]:
        """Switches with several seeds that lead to another verdict."""
        with_base = [p for p in self.switches if {p, base(p)} <= self.verdicts.keys()]
        several = [p for p in with_base if self.verdicts[p].n_seeds > 1]
        return [p for p in several if self.verdicts[p].verdict != self.verdicts[base(p)].verdict]

    @property
    def changes(self) -> bool:
        sides = {self.agrees.get(name) for name in BASES}
        return bool(
            self.differs or self.leans_apart or self.turning or self.differing or sides == {True, False}
        )


def base(protocol: str) -> str:
    """The protocol of which a switched one changes a field."""
    return switched(protocol)[0]


def changes(judged: list[Verdict], agrees: pd.DataFrame, profile: str, experiment: str, seed: int) -> str:
    """Which verdicts differ between the protocols, and which claims' numbers alone do, as Markdown."""
    here = [v for v in judged if (v.profile, v.experiment) == (profile, experiment)]
    sides = {number: of.set_index("protocol").agrees.to_dict() for number, of in agrees.groupby("claim")}
    cases = [Case(c, {v.protocol: v for v in here if v.claim is c}, sides.get(c.number, {})) for c in CLAIMS]
    differ = [_line(case, seed) for case in cases if case.differs]
    rest = [_line(case, seed) for case in cases if case.changes and not case.differs]
    text = []
    if not BASES.keys() <= {v.protocol for v in here}:
        text.append("Not both protocols have records here, so no two verdicts can be compared.")
    elif differ:
        head = "Verdicts that differ (fewer seeds mean wider intervals, which alone can change a verdict):\n"
        text.append("\n".join([head, *differ]))
    else:
        text.append("No verdict differs.")
    if rest:
        head = (
            "The verdict is the same under both, but where it leans, the side of the numbers of seed "
            f"{seed}, or the verdict under a switch is not:\n"
        )
        text.append("\n".join([head, *rest]))
    return "\n\n".join(text)


def summary(found: Study, judged: list[Verdict]) -> str:
    """Which claims have another verdict as released than as written, and how many the same, as Markdown."""
    lines = []
    for profile, experiment in dict.fromkeys((v.profile, v.experiment) for v in judged):
        here = [v for v in judged if (v.profile, v.experiment) == (profile, experiment)]
        written, released = ({v.claim.number: v.verdict for v in here if v.protocol == p} for p in BASES)
        pairs: dict[tuple[str, str], list[str]] = {}
        for n in sorted(written.keys() & released.keys()):
            pairs.setdefault((written[n], released[n]), []).append(f"[{n}](#claim-{n})")
        if pairs:
            others = sorted(
                (pair for pair in pairs if pair[0] != pair[1]), key=lambda pair: UNDECIDED in pair
            )
            said = [f"{start}, then {end}: {', '.join(pairs[start, end])}" for start, end in others]
            same = sum(len(ns) for (start, end), ns in pairs.items() if start == end)
            open_in_both = len(pairs.get((UNDECIDED, UNDECIDED), []))
            said.append(f"the same for {same} claims, {UNDECIDED} in both for {open_in_both} of them")
            lines.append(f"- *{found.title(profile, experiment)}*: {'; '.join(said)}.")
    head = (
        "Claims, by number, with two verdicts, as written and then as released (a wider interval can by "
        f"itself make one {UNDECIDED}):\n\n"
    )
    return head + "\n".join(lines) if lines else ""


def _line(case: Case, seed: int) -> str:
    """What changes of one claim, as a Markdown item."""
    name = f"[Claim {case.claim.number}](#claim-{case.claim.number}) ({case.claim.statement})"
    start, end = (case.agrees.get(protocol) for protocol in BASES)
    line = f"- {name}: {_verdicts(case)}. The numbers of seed {seed} {_sides(start, end)}."
    if case.turning:
        line += f" Turned by one switch alone: {_named(case, case.turning)}."
    elif case.switches:
        known = None not in {case.agrees[p] for p in case.switches}
        line += f" No single switch that was run here{'' if known else ' and has all records'} changes that."
    if others := [switch for switch in case.differing if switch not in case.turning]:
        line += f" Another verdict by one switch alone: {_named(case, others)}."
    return line


def _verdicts(case: Case) -> str:
    """The verdicts of both protocols, or the one that both have."""
    if case.differs:
        return ", ".join(
            f"{_verdict(v)}{',' * bool(v.lean)} {in_words(v.protocol)} ({counted(v.n_seeds, 'seed')})"
            for v in case.both
        )
    leans = ", ".join(f"{v.lean or 'neither way'} {in_words(v.protocol)}" for v in case.both)
    said = "".join({v.verdict for v in case.both}) + " under both" * (len(case.both) == 2)
    return f"{said}, leans {leans}" if case.leans_apart else said


def _named(case: Case, switches: list[str]) -> str:
    """Switches, each with its verdict where it has several seeds."""
    said = []
    for name in switches:
        v = case.verdicts.get(name)
        verdict = f" ({counted(v.n_seeds, 'seed')}: {_verdict(v)})" if v and v.n_seeds > 1 else ""
        said.append(in_short(name) + verdict)
    return ", ".join(said)


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
