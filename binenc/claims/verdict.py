"""A claim, its verdict, and how effects decide it."""

from collections.abc import Callable
from dataclasses import dataclass

from binenc.claims.effect import BETWEEN, Effect
from binenc.claims.part import Part
from binenc.protocol import in_words


@dataclass(frozen=True)
class Claim:
    """A claim in our own words, its place in the paper, and its test: in words, and as effects."""

    number: int
    slug: str
    statement: str
    place: str
    test: str
    effects: Callable[[Part], list[Effect]]
    one_suffices: bool
    """One effect where the claim puts it is enough."""

    def __str__(self) -> str:
        return f"{self.slug.replace('-', ' ')} ({self.number})"


@dataclass(frozen=True)
class Verdict:
    """What the records of one experiment and protocol say about one claim."""

    claim: Claim
    profile: str
    experiment: str
    protocol: str
    verdict: str
    why: str
    effects: tuple[Effect, ...] = ()
    title: str = ""
    """Of the experiment, as a reader knows it."""
    source: str = ""
    """Which records they are, as a reader knows them."""
    recorded: bool = False
    """Whether they ship with the repository."""
    evidence: bool = True
    """Whether anything follows from such records at all."""

    @property
    def where(self) -> str:
        """Experiment and protocol in words."""
        return f"{self.title or self.experiment}, {in_words(self.protocol)}"

    @property
    def deciding(self) -> list[Effect]:
        return [effect for effect in self.effects if effect.decides]

    @property
    def settling(self) -> list[Effect]:
        """The deciding effects that settle the verdict; all of them where it is undecided."""
        state = {"reproduced": "holds", "not reproduced": "fails"}.get(self.verdict)
        return [effect for effect in self.deciding if state in (None, effect.state)]

    @property
    def n_seeds(self) -> int:
        """On how many seeds the verdict rests."""
        return min((effect.n_seeds for effect in self.settling), default=0)

    @property
    def weakest(self) -> Effect | None:
        """The deciding effect that supports the claim least; where one suffices, the one that does most.

        Of those in one state, an interval with a width comes before one without, which says less.
        """
        rank, most = {"fails": 0, "open": 1, "holds": 2}, self.claim.one_suffices
        pick = max if most else min
        return pick(
            self.deciding,
            key=lambda e: (rank[e.state], e.without_width != most, e.support, e.inside),
            default=None,
        )

    @property
    def remark(self) -> str:
        """What its deciding effects have to say, after their names where it is not on all of them."""
        every = _names(self.deciding, len(self.deciding))
        said = _remarks(self.deciding).items()
        return BETWEEN.join(text if names == every else f"on {names}: {text}" for names, text in said)

    @property
    def unsure(self) -> list[Effect]:
        """The deciding effects whose interval holds a bound."""
        return [effect for effect in self.deciding if effect.state == "open"]

    @property
    def tied(self) -> bool:
        """Whether it rests on an interval without width, as all seeds have the same value."""
        every = self.claim.one_suffices == (self.verdict == "reproduced")
        ties = [effect.tied for effect in self.settling]
        return self.verdict != "undecided" and bool(ties) and (all if every else any)(ties)

    @property
    def capped(self) -> bool:
        """Whether it is not reproduced where it could not have been."""
        return self.verdict == "not reproduced" and any(effect.capped for effect in self.settling)

    @property
    def on_side(self) -> bool | None:
        """Whether the means alone agree with the claim; None if those that could say so are not all there."""
        sides, settles = [effect.on_side for effect in self.deciding], self.claim.one_suffices
        if settles in sides:
            return settles
        return None if None in sides or not sides else not settles

    @property
    def lean(self) -> str:
        """Where it is undecided, whether the means are ``for`` or ``against`` the claim; else empty.

        Means that lie on their bounds, such as equal accuracies, are neither.
        """
        if self.verdict != "undecided" or not self.evidence or self.on_side is None:
            return ""
        if self.on_side:
            return "for"
        beyond = [effect.support < 0 for effect in self.deciding if effect.on_side is not None]
        return "against" if (all if self.claim.one_suffices else any)(beyond) else ""


def decide(effects: list[Effect], one_suffices: bool, no_evidence: str = "") -> tuple[str, str]:
    """The verdict, and why, of deciding effects that must all hold, or of which one suffices."""
    states = [effect.state for effect in effects]
    n = min(effect.n_seeds for effect in effects)
    notes = _notes(effects)
    if no_evidence:
        return "undecided", no_evidence
    if n == 0:
        return "undecided", f"no seed has all that is compared{notes}"
    settles, refutes = (any, all) if one_suffices else (all, any)
    if settles(state == "holds" for state in states):
        enough = f"these lie where the claim puts them: {_names([e for e in effects if e.state == 'holds'])}"
        return "reproduced", (enough if one_suffices else _every(effects)) + notes
    if refutes(state == "fails" for state in states):
        failing = [effect for effect in effects if effect.state == "fails"]
        why = f"beyond the bound: {_names(failing, len(effects))}{_without_width(failing)}"
        return "not reproduced", why + notes
    if alone := [effect for effect in effects if effect.n_seeds == 1 and not effect.exact]:
        some = f" of {_names(alone)}" if len(alone) < len(effects) else ""
        return "undecided", f"one seed: no interval{some}{notes}"
    undefined = [effect for effect in effects if effect.values.isna().any()]
    if undefined:
        return "undecided", f"not defined in some seed: {_names(undefined)}{notes}"
    unsure = [effect for effect in effects if effect.state == "open"]
    return "undecided", f"the bound lies inside the interval of {_names(unsure, len(effects))}{notes}"


def _notes(effects: list[Effect]) -> str:
    """What the effects have to say, as sentences."""
    return "".join(f". On {names}: {remarks}" for names, remarks in _remarks(effects).items())


def _remarks(effects: list[Effect]) -> dict[str, str]:
    """What the effects have to say, each remark once, by the names of those that it is on."""
    of: dict[str, list[Effect]] = {}
    for effect in effects:
        for remark in filter(None, effect.note.split(BETWEEN)):
            of.setdefault(remark, []).append(effect)
    said: dict[str, list[str]] = {}
    for remark, noted in of.items():
        said.setdefault(_names(noted, len(effects)), []).append(remark)
    return {names: BETWEEN.join(remarks) for names, remarks in said.items()}


def _every(effects: list[Effect]) -> str:
    if all(effect.exact for effect in effects):
        return "exactly, without an interval"
    which = f"each of {len(effects)} intervals" if len(effects) > 1 else "the interval"
    return f"{which} lies where the claim puts it{_without_width(effects)}"


def _without_width(effects: list[Effect]) -> str:
    same = [effect for effect in effects if effect.without_width]
    return f"; without width, for all seeds have the same value: {_names(same, len(effects))}" if same else ""


def _names(effects: list[Effect], of: int = 0) -> str:
    if len(effects) == of > 2:
        return f"all {of}"
    return "; ".join(effect.name for effect in effects)
