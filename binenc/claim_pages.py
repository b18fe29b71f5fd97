"""Verdicts and effects as a reader sees them: tables and sentences, in Markdown and HTML."""

from html import escape

import pandas as pd
from scipy import stats

from binenc.profile import Profile
from binenc.study import source
from binenc.verdict import CONFIDENCE, Verdict

WORDS = {"reproduced": "✓ reproduced", "not reproduced": "✗ not reproduced", "undecided": "? undecided"}
NO_RECORDS = "– lacks records"
"""Of a claim that nothing can be said of yet, where that is not for want of seeds."""
COLOURS = {
    "reproduced": ("#cdeccf", "#0b3d16"),
    "not reproduced": ("#f9d3cf", "#5c0f08"),
    "undecided": ("#e4e4e4", "#2b2b2b"),
}
"""Background and text: a contrast of more than 7 in each pair, on a light page as on a dark one."""


def table_markdown(verdicts: pd.DataFrame, link: str = "") -> str:
    """Verdicts as plain Markdown, a table a source: a row a claim, a column an experiment and protocol.

    ``link`` is where a claim's number leads, such as ``#claim-{number}``.
    """
    tables = []
    for title, part in verdicts.groupby("source", sort=False):
        columns = list(dict.fromkeys(part["where"]))
        lines = [f"| | Claim · {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 2) + "|"]
        for number, row in part.groupby("claim"):
            words = row.set_index("where").agg(_words, axis=1).reindex(columns, fill_value="")
            named = f"[{number}]({link.format(number=number)})" if link else f"{number}"
            lines.append(f"| {named} | {row.statement.iloc[0]} | " + " | ".join(words) + " |")
        tables.append("\n".join(lines))
    return "\n\n".join(tables)


def table_html(verdicts: pd.DataFrame, link: str = "#claim-{number}") -> str:
    """The same in HTML, each verdict in a colour too; its reason shows where the pointer rests."""
    tables = []
    for title, part in verdicts.groupby("source", sort=False):
        columns = list(dict.fromkeys(part["where"]))
        head = "".join(f'<th scope="col">{escape(column)}</th>' for column in columns)
        rows = []
        for number, row in part.groupby("claim"):
            name = f'<a href="{link.format(number=number)}">{number}</a>. {escape(row.statement.iloc[0])}'
            by_column = row.set_index("where")
            cells = "".join(_cell(by_column.loc[column]) for column in columns)
            rows.append(
                f'<tr><th scope="row" style="text-align:left;font-weight:normal">{name}</th>{cells}</tr>'
            )
        head = f'<thead><tr><th scope="col">Claim</th>{head}</tr></thead>'
        caption = f'<caption style="caption-side:top">{escape(title.capitalize())}</caption>'
        tables.append(f'<table class="table">{caption}{head}<tbody>{"".join(rows)}</tbody></table>')
    return f'<div class="pst-scrollable-table-container">{"".join(tables)}</div>'


def _cell(row: pd.Series) -> str:
    back, front = COLOURS[row.verdict]
    style = f"background:{back};color:{front};text-align:center"
    return f'<td style="{style}" title="{escape(row.why)}">{_words(row)}</td>'


def _words(row: pd.Series | Verdict) -> str:
    if not row.n_seeds:
        return NO_RECORDS
    return WORDS[row.verdict] + (f", leans {row.lean}" if row.lean else "")


def summary(verdicts: pd.DataFrame) -> str:
    """How many verdicts of each kind, and how far they can be trusted together, as Markdown."""
    judged = verdicts[verdicts.n_seeds > 0]
    counts = judged.verdict.value_counts()
    said = ", ".join(f"{counts.get(word, 0)} {word}" for word in WORDS)
    if lacking := len(verdicts) - len(judged):
        said += f"; {lacking} lack records"
    if single := ((judged.n_seeds == 1) & (judged.verdict == "undecided")).sum():
        said += f"; of those undecided, {single} rest on one seed, which has no interval"
    seeds = sorted(set(verdicts.n_seeds[verdicts.n_seeds > 1]))
    t = "; ".join(f"{n} seeds: t = {stats.t.ppf((1 + CONFIDENCE) / 2, n - 1):.2f}" for n in seeds)
    columns = len(verdicts) // verdicts.claim.nunique()
    return (
        f"**{len(judged)} verdicts: {said}**, on {verdicts.claim.nunique()} claims in {columns} "
        f"{'pair' if columns == 1 else 'pairs'} of experiment and protocol. But for claim 10, which is about "
        f"exact counts, each rests on {CONFIDENCE:.0%} intervals of Student's t over seeds"
        f"{f' ({t})' if t else ''}, each interval by itself: nothing is corrected for so many being "
        "looked at together. An interval covers the choice of seeds, not that of the test points. "
        "An interval of shares can reach past 0 or 1, because Student's t ignores these bounds. "
        "'Undecided' is no verdict against a claim: the records cannot tell. It leans for a claim if all "
        "means lie where the claim puts them, against it if one lies beyond (claim 2: if both do), however "
        "wide their intervals: of a claim with many effects, chance turns more easily against it than for it."
    )


def subject(profiles: dict[str, Profile]) -> str:
    """What data and networks a verdict is about, by profile, as Markdown."""
    said = [f"- {source(p)}: {' '.join(p.about.split())}" for p in profiles.values()]
    return (
        "A verdict is about the data and networks of its column and says nothing of others:\n\n"
        + "\n".join(said)
    )


def claim_markdown(judged: list[Verdict], number: int) -> str:
    """One claim: its words, its test, its effects everywhere, and each verdict with its reason."""
    mine = [v for v in judged if v.claim.number == number]
    claim, columns = mine[0].claim, [_column(v, mine) for v in mine]
    sign = {"holds": "✓ ", "fails": "✗ ", "open": "? "}
    cells = {}
    for v, column in zip(mine, columns, strict=True):
        for e in v.effects:
            claimed = e.claimed if e.decides else "(for information)"
            row = cells.setdefault(f"{e.name} ({e.unit}) | {claimed}", {})
            row[column] = f"{sign[e.state] if e.decides and e.n_seeds > 1 else ''}{e}"
    lines = ["| Effect | Claimed | " + " | ".join(columns) + " |", "|---" * (len(mine) + 2) + "|"]
    lines += [
        f"| {name} | " + " | ".join(row.get(c, "") for c in columns) + " |" for name, row in cells.items()
    ]
    counted = {v.n_seeds: f" ({v.n_seeds} seed{'s' * (v.n_seeds != 1)})" for v in mine} | {0: ""}
    said = [
        f"- **{column}**: {_words(v)}{counted[v.n_seeds]}: {v.why}."
        for v, column in zip(mine, columns, strict=True)
    ]
    head = [f"*{claim.statement}* ({claim.place}).", f"**Test.** {claim.test}"]
    return "\n\n".join([*head, *(["\n".join(lines)] if cells else []), "\n".join(said)])


def _column(v: Verdict, among: list[Verdict]) -> str:
    several = len({other.profile for other in among if other.where == v.where}) > 1
    return f"{v.where} · {v.source or v.profile}" if several else v.where
