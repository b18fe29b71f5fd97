"""What a reader with five minutes is told beside the verdicts, on the front page and in the README."""

from itertools import permutations

from binenc.claims.effect import BETWEEN, Effect
from binenc.claims.moves import one_at_a_time
from binenc.claims.pages import marked, seeds, words
from binenc.claims.verdict import Verdict
from binenc.study import Study
from binenc.text.axes import beyond
from binenc.text.prose import protocols_apart
from binenc.text.words import markdown_table

SMALLEST, WEAKEST = "smallest", "weakest"
NUMBERS = {
    "binarity": {
        "gain of two peaks over one, last": "Gain of two peaks over one, nats: binary encoding",
        "standard deviation": "Width of the peaks, last / first: binary encoding",
    },
    "linear-not-binary": {
        "gain of two peaks over one, last": "Gain of two peaks over one, nats: linear penultimate",
        "standard deviation": "Width of the peaks, last / first: linear penultimate",
    },
    "one-code": {
        "whole-code share": "Whole-code share, training points: binary encoding",
        "whole-code share, test set": "Whole-code share, test points: binary encoding",
    },
    "only-binary-encoding": {
        "whole-code share, linear penultimate": "Whole-code share, training points: linear penultimate",
    },
    "test-accuracy": {
        SMALLEST: "Smallest lead in test accuracy, percentage points",
    },
    "train-accuracy": {
        SMALLEST: "Smallest lead in training accuracy, percentage points",
    },
    "others-comparable": {
        WEAKEST: "Difference of two others that is least surely small, percentage points",
    },
    "faster-collapse": {
        "ahead by all four": "Share of evaluations at which binary encoding is ahead on all four",
        "equiangularity, area": "Equiangularity, averaged over the epochs / best other",
        "Tr(Sw Sb⁺)/C, area": "Tr(Sw Sb⁺)/C, averaged over the epochs / best other",
        WEAKEST: "The least certain of the claim's eight numbers",
    },
    "within-class-covariance": {
        "mean entry, binary encoding": "Within-class covariance, last / first: binary encoding",
        "mean entry, linear penultimate": "Within-class covariance, last / first: linear penultimate",
        "mean entry, non-linear penultimate": "Within-class covariance, last / first: non-linear penultimate",
        "mean entry, no penultimate": "Within-class covariance, last / first: no penultimate",
    },
}
"""Numbers behind the verdicts: of each claim effects, and what they are; of those that decide the smallest or
the one that supports the claim least.
"""
NOTED = (
    *("binarity", "one-code", "test-accuracy", "train-accuracy"),
    *("faster-collapse", "within-class-covariance"),
)
"""Claims of which what decides may have a remark that a reader should know."""

LENGTH = {"title", "epochs", "evaluate_every"}
"""Of an experiment, what tells the first epochs of a training from all."""


def findings(found: Study, changed: Study) -> str:
    """What no claim asks: where the protocols part, and why latents turn binary. Markdown items.

    ``changed`` is the same study with experiments and protocols of which a field was changed.
    """
    first = next(iter(found.profiles))
    items = protocols_apart(found, first), one_at_a_time(changed), beyond(found, changed)
    return "\n".join(filter(None, items))


def numbers(judged: list[Verdict], link: str = "") -> str:
    """The numbers behind the first profile's verdicts, and remarks on them, as Markdown.

    ``link`` is where a claim's number leads, such as ``#claim-{number}``.
    """
    mine = [v for v in judged if v.profile == judged[0].profile]
    return "\n\n".join(filter(None, (table(mine, link), remarks(mine, link))))


def elsewhere(judged: list[Verdict]) -> str:
    """`numbers` of what else is recorded than the first profile."""
    recorded: dict[str, list[Verdict]] = {}
    for v in judged:
        if v.recorded and v.profile != judged[0].profile:
            recorded.setdefault(v.profile, []).append(v)
    return "\n\n".join(filter(None, map(numbers, recorded.values())))


def table(judged: list[Verdict], link: str = "") -> str:
    """``NUMBERS`` of one profile as Markdown: a row a number, a column an experiment and protocol."""
    columns: dict[str, dict[str, Verdict]] = {}
    for v in judged:
        if v.effects:
            columns.setdefault(v.where, {})[v.claim.slug] = v
    rows = []
    for slug, titles in NUMBERS.items():
        of = {where: by_slug[slug] for where, by_slug in columns.items() if slug in by_slug}
        for name, title in titles.items() if of else ():
            effects = [e for v in of.values() if (e := _effect(v, name)).decides]
            claimed = ", ".join(dict.fromkeys(e.claimed for e in effects))
            cells = (_cell(of[where], name) if where in of else "" for where in columns)
            rows.append([_linked(next(iter(of.values())), link), title, claimed, *cells])
    heads = (f"{where} ({seeds(v.n_seeds for v in by_slug.values())})" for where, by_slug in columns.items())
    source = f"Number · {judged[0].source}" if judged and judged[0].source else "Number"
    return markdown_table(["", source, "Passes if", *heads], rows) if rows else ""


def _effect(v: Verdict, name: str) -> Effect:
    if name == SMALLEST:
        return min(v.deciding, key=lambda e: e.interval.mean)
    return v.weakest if name == WEAKEST else next(e for e in v.effects if e.name == name)


def _cell(v: Verdict, name: str) -> str:
    """An effect, and where the row does not name it, which it is and whether another is less sure."""
    e = _effect(v, name)
    if name not in (SMALLEST, WEAKEST):
        return marked(e)
    less = f"; less sure: {_cell(v, WEAKEST)}" if v.weakest.state != e.state else ""
    return f"{marked(e)}{_unit(e)} ({e.name.removeprefix('binary encoding − ')}){less}"


def _unit(e: Effect) -> str:
    return "" if e.ratio or e.unit == "percentage points" else f" {e.unit.partition(',')[0]}"


def remarks(judged: list[Verdict], link: str = "") -> str:
    """What is to be known of the verdicts of one profile beside their numbers: a Markdown item a claim."""
    lines = []
    for slug in NOTED:
        said: dict[str, list[str]] = {}
        mine = [v for v in judged if v.claim.slug == slug and v.effects]
        for v in mine:
            if remark := _remark(v):
                said.setdefault(remark, []).append(v.where)
        if said:
            items = (f"*{'; '.join(where)}*: {remark}." for remark, where in said.items())
            lines.append(f"- **Claim {_linked(mine[0], link)}.** {' '.join(items)}")
    return "\n".join(lines)


def _remark(v: Verdict) -> str:
    """What the effects that decide have to say; of neural collapse, of those alone that leave it open."""
    if v.claim.slug != "faster-collapse":
        return v.remark
    if v.verdict != "undecided" or v.n_seeds < 2 or not v.unsure:
        return v.weakest.note
    shared = set.intersection(*(set(e.note.split(BETWEEN)) for e in v.deciding))
    said = []
    for e in v.unsure:
        notes = [note for note in e.note.split(BETWEEN) if note and note not in shared]
        said.append(f"{e.name}, {e}{_unit(e)}{f' ({BETWEEN.join(notes)})' if notes else ''}")
    return BETWEEN.join([*sorted(shared - {""}), f"the intervals leave open: {BETWEEN.join(said)}"])


def _linked(v: Verdict, link: str) -> str:
    return f"[{v.claim.number}]({link.format(number=v.claim.number)})" if link else f"{v.claim.number}"


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
