"""Verdicts and effects as a reader sees them: tables and sentences, in Markdown and HTML."""

from collections.abc import Iterable
from html import escape

import pandas as pd
from IPython.display import HTML

from binenc.claims.effect import CONFIDENCE, Effect, student
from binenc.claims.judging import judge, known, to_frame
from binenc.claims.verdict import Verdict
from binenc.study import Study
from binenc.text.words import as_sentence, counted, markdown_table

WORDS = {"reproduced": "✓ reproduced", "not reproduced": "✗ not reproduced", "undecided": "? undecided"}
MARKS = {"holds": "✓", "fails": "✗", "open": "?"}
WORDS_OF_VERDICTS = (
    "<p><em>As written</em> follows the paper's text, <em>as released</em> its code "
    '(<a href="protocols.ipynb">protocols</a>); verdicts and leans are explained with the '
    '<a href="claims.ipynb">claims</a>, other words on the <a href="intro.ipynb#words">first page</a>.</p>'
)
NO_RECORDS = "– lacks records"
"""Of a claim that nothing can be said of yet, where that is not for want of seeds."""
COLOURS = {
    "reproduced": ("#cdeccf", "#0b3d16"),
    "not reproduced": ("#f9d3cf", "#5c0f08"),
    "undecided": ("#e4e4e4", "#2b2b2b"),
}
"""Background and text: a contrast of more than 7 in each pair, on a light page as on a dark one."""


def table_markdown(verdicts: pd.DataFrame) -> str:
    """Verdicts as plain Markdown, a table a source: a row a claim, a column an experiment and protocol."""
    tables = []
    for title, part in verdicts.groupby("source", sort=False):
        columns = list(dict.fromkeys(part["where"]))
        rows = []
        for number, row in part.groupby("claim"):
            said = row.set_index("where").agg(words, axis=1).reindex(columns, fill_value="")
            rows.append([number, row.statement.iloc[0], *said])
        tables.append(
            markdown_table(["", f"Claim · {title}", *(_head(part, column) for column in columns)], rows)
        )
    return "\n\n".join(tables)


def table_html(verdicts: pd.DataFrame, link: str = "#claim-{number}") -> str:
    """The same in HTML, each verdict in a colour too; its reason shows where the pointer rests.

    ``link`` is where a claim's number leads, such as ``#claim-{number}``.
    """
    tables = []
    for title, part in verdicts.groupby("source", sort=False):
        columns = list(dict.fromkeys(part["where"]))
        head = "".join(f'<th scope="col">{escape(_head(part, column))}</th>' for column in columns)
        rows = []
        for number, row in part.groupby("claim"):
            name = f'<a href="{link.format(number=number)}">{number}</a>. {escape(row.statement.iloc[0])}'
            by_column = row.set_index("where")
            cells = "".join(_cell(by_column.loc[column]) for column in columns)
            rows.append(
                f'<tr><th scope="row" style="text-align:left;font-weight:normal">{name}</th>{cells}</tr>'
            )
        head = f'<thead><tr><th scope="col">Claim</th>{head}</tr></thead>'
        caption = f'<caption style="caption-side:top">{escape(as_sentence(title))}</caption>'
        tables.append(f'<table class="table">{caption}{head}<tbody>{"".join(rows)}</tbody></table>')
    return f'<div class="pst-scrollable-table-container">{"".join(tables)}</div>'


def _head(part: pd.DataFrame, column: str) -> str:
    """A column's title, and on how many seeds it rests."""
    n = part.loc[part["where"] == column, "n_seeds"]
    return f"{column} ({seeds(n)})" if n.any() else column


def _cell(row: pd.Series) -> str:
    back, front = COLOURS[row.verdict]
    style = f"background:{back};color:{front};text-align:center"
    return f'<td style="{style}" title="{escape(row.why)}">{words(row)}</td>'


def words(row: pd.Series | Verdict) -> str:
    """A verdict, its lean, whether it rests on seeds that tie, and whether it could have been another."""
    if row.evidence and not row.n_seeds:
        return NO_RECORDS
    lean, tie = f", leans {row.lean}" if row.lean else "", ", seeds tie" if row.tied else ""
    return WORDS[row.verdict] + lean + tie + (", at the ceiling" if row.capped else "")


def tally(verdicts: pd.DataFrame) -> str:
    """The numbers of the claims by verdict: a Markdown table, a row a source, experiment and protocol."""
    rows = []
    for (records, where), part in verdicts.groupby(["source", "where"], sort=False):
        judged = part[part.n_seeds > 0]
        by = (judged.claim[judged.verdict == verdict] for verdict in WORDS)
        rows.append([f"{where} · {records}", *(", ".join(map(str, some)) or "–" for some in by)])
    return markdown_table(["Claims, by number", *WORDS.values()], rows) if rows else ""


def headline(verdicts: pd.DataFrame) -> str:
    """Which claims hold, by slug and number: a Markdown item a source, experiment and protocol."""
    items = []
    for (records, where), part in verdicts.groupby(["source", "where"], sort=False):
        judged, lacking = part[part.n_seeds > 0], part[part.evidence & (part.n_seeds == 0)]
        found = [(word, judged[judged.verdict == word]) for word in WORDS]
        said = [
            f"{words}: {', '.join(str(known(slug)) for slug in rows.slug)}"
            for words, rows in [*found, ("without the records that it takes", lacking)]
            if len(rows)
        ]
        if not part.evidence.any():
            said = ["too short to judge a claim by"]
        n = set(judged.n_seeds)
        reach = f", intervals of ± {student(min(n)):.3g} standard errors" if len(n) == 1 < min(n) else ""
        items.append(
            f"- **{where}**, {records}, {seeds(part.n_seeds)}{reach}. {as_sentence('; '.join(said))}."
        )
    return "\n".join(items)


def seeds(n: Iterable[int]) -> str:
    """How many seeds, of some that may differ in it."""
    n = list(n)
    least, most = min(filter(None, n), default=0), max(n)
    return counted(most, "seed") if least == most else f"{least} to {most} seeds"


def answer(found: Study, *slugs: str) -> HTML:
    """The verdicts on some claims, as a chapter begins: their table, with links to evidence and words.

    Raises
    ------
    InputError
        If there is no such claim.
    """
    judged = judge(found, [known(slug) for slug in slugs])
    return HTML(table_html(to_frame(judged), link="claims.ipynb#claim-{number}") + WORDS_OF_VERDICTS)


def summary(verdicts: pd.DataFrame) -> str:
    """Which claims hold where, and how far the verdicts can be trusted together, as Markdown."""
    return "\n".join(
        [
            headline(verdicts) + "\n",
            f"- Claim {known('equal-size').number} is about exact counts, and holds by the way the networks "
            f"are built. Every other rests on two-sided {100 * CONFIDENCE:.0f} % intervals of Student's t "
            "over seeds; a single seed has none. They reflect the choice of seeds, not that of the test "
            "points, and are cut off where values must end: for shares, at 0 and 1.",
            "- Each interval stands by itself; nothing is corrected for so many being looked at together. "
            "Were the truth at the bound, an interval would lie wholly above it in 2.5 % of cases, and in as "
            "many below. 'Reproduced' takes all effects, so chance rarely brings it about; 'not reproduced' "
            "takes only one of k effects, which chance brings about in up to k times 2.5 % of cases (claim "
            "2: the other way round).",
            "- *Seeds tie*: in an interval on which the verdict rests all seeds have the same value, so it "
            "does not show how far another seed might be. Shares of points are not marked: they are often "
            "alike at 0 or 1.",
            "- *At the ceiling*: not reproduced, and it could not have been. One of the others has so many "
            "points right that binary encoding would not have passed with all of them right.",
            "- 'Undecided' is no verdict against a claim. The more effects a claim has, the likelier one "
            "mean lies on the wrong side by chance.",
        ]
    )


def claim_markdown(judged: list[Verdict], slug: str) -> str:
    """One claim: its words, its test, its effects everywhere, and verdicts with their reason, once each."""
    mine = [v for v in judged if v.claim.slug == slug]
    claim, columns = mine[0].claim, [_column(v, mine) for v in mine]
    sources = dict.fromkeys(v.source for v in mine)
    tables = [_effects([v for v in mine if v.source == source]) for source in sources]
    said: dict[str, list[str]] = {}
    for v, column in zip(mine, columns, strict=True):
        on = f" ({seeds([v.n_seeds])})" if v.n_seeds else ""
        said.setdefault(f"{words(v)}{on}: {v.why}.", []).append(f"**{column}**")
    reasons = [f"- {'; '.join(where)}: {what}" for what, where in said.items()]
    head = [f"*{claim.statement}* ({claim.place}).", f"**Test.** {claim.test}"]
    return "\n\n".join([*head, *filter(None, tables), "\n".join(reasons)])


def marked(e: Effect) -> str:
    """An effect after the mark of where its interval lies, if a claim has one for it."""
    sure = e.decides and (e.n_seeds > 1 or e.exact)
    return f"{MARKS[e.state]}\N{NO-BREAK SPACE}{e}" if sure else str(e)


def _effects(mine: list[Verdict]) -> str:
    """The effects of one claim and source: a row each, a column an experiment and protocol."""
    cells = {}
    for v in mine:
        for e in v.effects:
            claimed = e.claimed if e.decides else "(for information)"
            row = cells.setdefault((f"{e.name} ({e.unit})", claimed), {})
            row[v.where] = marked(e) + (f" ({seeds([e.n_seeds])})" if e.n_seeds != v.n_seeds else "")
    columns = [v.where for v in mine]
    source = f" · {mine[0].source}" if mine[0].source else ""
    rows = [[*named, *(row.get(column, "") for column in columns)] for named, row in cells.items()]
    return markdown_table([f"Effect{source}", "Passes if", *columns], rows) if cells else ""


def _column(v: Verdict, among: list[Verdict]) -> str:
    several = len({other.profile for other in among if other.where == v.where}) > 1
    return f"{v.where} · {v.source or v.profile}" if several else v.where
