"""What a reader with five minutes is told beside the verdicts, on the front page and in the README."""

import re
from itertools import permutations

from binenc.claims.moves import one_at_a_time
from binenc.claims.pages import seeds, words
from binenc.claims.verdict import Verdict
from binenc.study import Study
from binenc.text.hypercube import beyond
from binenc.text.prose import protocols_apart

FINDINGS = [
    "**Two peaks** ({binarity}; {linear-not-binary}). Whatever the scale, two peaks describe a latent better "
    "than one, in nats, by {binarity:gain of two peaks over one, last} under binary encoding, by "
    "{linear-not-binary:gain of two peaks over one, last} with a linear penultimate layer. From the first "
    "evaluation to the last the width of the peaks changes by {binarity:standard deviation} and by "
    "{linear-not-binary:standard deviation}; latents that merely shrink or grow would show this too.",
    "**One code per class** ({one-code}; {only-binary-encoding}). With a linear penultimate layer "
    "{only-binary-encoding:whole-code share, linear penultimate} of the training points have their class's "
    "most common code; under binary encoding {one-code:whole-code share, test set} of the test points and "
    "{one-code:whole-code share} of the training points do (claimed {one-code:claimed}){one-code:note}.",
    "**Accuracy** ({test-accuracy}; {train-accuracy}). Binary encoding should be ahead of each of the "
    "others. The smallest of its three leads, in percentage points, negative where it trails: on test "
    "points, {test-accuracy:smallest}{test-accuracy:note}; on training points, {train-accuracy:smallest}"
    "{train-accuracy:note}.",
    "**Neural collapse** ({faster-collapse}). Binary encoding is ahead on all four measures (one of the "
    "lengths of class means, two of their angles, one of the variance within classes) at a share of "
    "{faster-collapse:ahead by all four} of the evaluations at which all are defined. On the measure that "
    "favours it least, its worst value is {faster-collapse:worst, of all four} the best that any of the "
    "others ever has. Averaged over the training, the spread of the angles is "
    "{faster-collapse:equiangularity, area} that of the best of the others; the variance within classes "
    "relative to that between them, Tr(Sw Sb⁺)/C, is {faster-collapse:Tr(Sw Sb⁺)/C, area}. It should also "
    "need fewer epochs (*time*: the difference) to come to where the best of the others "
    "ends{faster-collapse:unsure}.",
    "**Within-class covariance** ({within-class-covariance}). From the first evaluation to the last its mean "
    "entry changes by {within-class-covariance:mean entry, binary encoding} under binary encoding, by "
    "{within-class-covariance:mean entry, linear penultimate}, "
    "{within-class-covariance:mean entry, non-linear penultimate} and "
    "{within-class-covariance:mean entry, no penultimate} with a linear, a non-linear and no penultimate "
    "layer; latents that merely shrink or grow would show this too{within-class-covariance:note}.",
]
"""What was found, by effects of claims, or by the smallest that decides, what is claimed of the weakest
or its note, or those that are open; a slug by itself is the verdict.
"""
ELSEWHERE = (
    "gain of two peaks over one, in nats, {binarity:gain of two peaks over one, last} ({binarity}); smallest "
    "lead, in percentage points, on test points {test-accuracy:smallest} ({test-accuracy}"
    "{test-accuracy:note}), on training points {train-accuracy:smallest} ({train-accuracy}); "
    "{one-code:whole-code share} of the training points have their class's most common code "
    "({one-code}{one-code:note})."
)
"""The same in short, of what else is recorded."""

LENGTH = {"title", "epochs", "evaluate_every"}
"""Of an experiment, what tells the first epochs of a training from all."""


def numbers(found: Study, changed: Study, judged: list[Verdict], link: str = "") -> str:
    """The findings of the first profile, and what no claim asks, as Markdown items.

    ``changed`` is the same study with experiments and protocols of which a field was changed; ``link`` is
    where a claim's number leads, such as ``#claim-{number}``.
    """
    first = next(iter(found.profiles))
    items = (
        findings(judged, link),
        elsewhere(judged, first=True, link=link),
        protocols_apart(found, first),
        one_at_a_time(changed),
        beyond(changed),
    )
    return "\n".join(filter(None, items))


def findings(judged: list[Verdict], link: str = "") -> str:
    """The numbers of the first experiment as written, as Markdown items; ``link`` as for `table_html`."""
    first, *_ = _columns(judged)
    return "\n".join(f"- {_filled(line, first, link)}" for line in FINDINGS if _has_all(line, first))


def elsewhere(judged: list[Verdict], first: bool, link: str = "") -> str:
    """The same in short, of the rest of the first profile, or of what is recorded in others."""
    _, *others = _columns(judged)
    lines = []
    for other in others:
        some = next(iter(other.values()))
        if _has_all(ELSEWHERE, other) and first is (some.profile == judged[0].profile):
            n = seeds(v.n_seeds for v in other.values())
            lines.append(f"- **{some.where}**, {n}: {_filled(ELSEWHERE, other, link)}")
    return "\n".join(lines)


def at_length(found: Study, judged: list[Verdict]) -> str:
    """Which verdicts on the first epochs of a training are others at its end: a Markdown item each.

    Of experiments that differ in the number of epochs alone, both recorded, by protocol.
    """
    trained = {(name, run.experiment_name): run.experiment for name, run in found.each()}
    cases: dict[tuple[str, str, str], dict[int, Verdict]] = {}
    for v in judged:
        if v.recorded and v.n_seeds > 1:
            cases.setdefault((v.profile, v.experiment, v.protocol), {})[v.claim.number] = v
    lines = []
    for short, long in permutations(cases, 2):
        few, every = trained[short[:2]], trained[long[:2]]
        same = few.model_dump(exclude=LENGTH) == every.model_dump(exclude=LENGTH)
        both = sorted(cases[short].keys() & cases[long].keys())
        if short[2] == long[2] and same and few.epochs < every.epochs and both:
            pairs = [(cases[short][n], cases[long][n]) for n in both]
            others = [(first, last) for first, last in pairs if first.verdict != last.verdict]
            named = "; ".join(f"{first.claim}, {words(first)}, then {words(last)}" for first, last in others)
            lines.append(
                f"- **{pairs[0][0].where}, beside all {every.epochs}**: {len(others)} of {len(pairs)} "
                f"verdicts change by the end{': ' * bool(named)}{named}."
            )
    return "\n".join(lines)


def _columns(judged: list[Verdict]) -> list[dict[str, Verdict]]:
    """Verdicts by slug: of the first profile and of what is recorded, by experiment and protocol."""
    columns: dict[tuple[str, str], dict[str, Verdict]] = {}
    for v in judged:
        if v.profile == judged[0].profile or v.recorded:
            columns.setdefault((v.profile, v.where), {})[v.claim.slug] = v
    return list(columns.values())


def _has_all(line: str, column: dict[str, Verdict]) -> bool:
    return all(slug in column and column[slug].effects for slug in re.findall(r"\{([a-z-]+)", line))


def _filled(line: str, column: dict[str, Verdict], link: str) -> str:
    """A line of `FINDINGS` with the effects and the verdicts of one experiment and protocol."""
    return re.sub(r"\{([a-z-]+):?(.*?)\}", lambda found: _said(column[found[1]], found[2], link), line)


def _said(v: Verdict, name: str, link: str) -> str:
    """An effect of a verdict by its name, what one of ``WORDS`` stands for, or without a name the verdict."""
    if name in WORDS:
        return WORDS[name](v)
    if name:
        effect = next(e for e in v.effects if e.name == name)
        return f"{effect}{f' ({effect.note})' if effect.note and not effect.decides else ''}"
    claim = f"claim {v.claim.number}"
    linked = f"[{claim}]({link.format(number=v.claim.number)})" if link else claim
    return f"{linked}: {words(v)}"


def _smallest(v: Verdict) -> str:
    """Of the effects that decide the smallest, and the least certain where it says another thing."""
    smallest = min(v.deciding, key=lambda e: e.interval.mean)
    other = v.weakest.state != smallest.state
    unsure = f" (less certain: {v.weakest.name}: {v.weakest})" if other else ""
    return f"{smallest.name}: {smallest}{unsure}"


def _note(v: Verdict) -> str:
    return f"; {v.weakest.note}" if v.weakest.note else ""


def _unsure(v: Verdict) -> str:
    """Of a verdict that several seeds leave open, the effects that do."""
    if v.verdict != "undecided" or v.n_seeds < 2 or not v.unsure:
        return ""
    said = []
    for e in v.unsure:
        unit, note = "" if e.ratio else f" {e.unit}", f"; {e.note}" if e.note else ""
        said.append(f"{e.name}: {e}{unit} (seed by seed {e.by_seed}; claimed {e.claimed}{note})")
    return f"; the intervals leave open: {'; '.join(said)}"


WORDS = {"smallest": _smallest, "claimed": lambda v: v.weakest.claimed, "note": _note, "unsure": _unsure}
"""What stands in `FINDINGS` for other than an effect's name."""
