"""Every claim judged by the records: for each profile, experiment and protocol by itself."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from binenc.claims.paper import CLAIMS
from binenc.claims.part import Needs, Part
from binenc.claims.verdict import Claim, Verdict, decide
from binenc.profile import InputError
from binenc.study import GROUP, Study, contents, source


def known(slug: str) -> Claim:
    """The claim of that name.

    Raises
    ------
    InputError
        If there is none.
    """
    for c in CLAIMS:
        if c.slug == slug:
            return c
    raise InputError(f"claim {slug!r}: allowed are {', '.join(c.slug for c in CLAIMS)}")


def judge_table(
    table: pd.DataFrame, no_evidence: dict[str, str] | None = None, which: Sequence[Claim] = CLAIMS
) -> list[Verdict]:
    """Judge claims for each profile, experiment and protocol of a table like that of `Study`.

    Among its metrics is ``n_parameters`` (see `sized`). ``no_evidence`` maps a profile from which
    nothing follows to the reason.
    """
    judged = []
    for key, rows in table.groupby(GROUP, sort=False):
        part, no = Part(rows), (no_evidence or {}).get(key[0], "")
        for c in which:
            try:
                found = tuple(c.effects(part))
            except Needs as error:
                judged.append(Verdict(c, *key, "undecided", no or str(error), evidence=not no))
            else:
                deciding = [effect for effect in found if effect.decides]
                judged.append(Verdict(c, *key, *decide(deciding, c.one_suffices, no), found, evidence=not no))
    return judged


def sized(found: Study) -> pd.DataFrame:
    """The study's table, and rows of the metric ``n_parameters``, as each record states it."""
    rows = []
    for name, run in found.each():
        size = float(contents(found.profiles[name], run)["n_parameters"])
        rows.append((name, *run.key, 0, "train", "n_parameters", size))
    sizes = pd.DataFrame(rows, columns=found.table.columns)
    return pd.concat([found.table, sizes], ignore_index=True)


def judge(found: Study, which: Sequence[Claim] = CLAIMS) -> list[Verdict]:
    """Judge claims by the records of a study."""
    small = "the profile {} is too small to say anything"
    no = {name: small.format(name) for name, profile in found.profiles.items() if not profile.evidence}
    judged = []
    for v in judge_table(sized(found), no, which):
        title, profile = found.label(v.profile, v.experiment), found.profiles[v.profile]
        judged.append(replace(v, title=title, source=source(profile), recorded=profile.recorded))
    return judged


def to_frame(judged: list[Verdict]) -> pd.DataFrame:
    """A row a verdict."""
    return pd.DataFrame(
        {
            "claim": v.claim.number,
            "slug": v.claim.slug,
            "statement": v.claim.statement,
            "profile": v.profile,
            "source": v.source or v.profile,
            "experiment": v.experiment,
            "protocol": v.protocol,
            "where": v.where,
            "verdict": v.verdict,
            "lean": v.lean,
            "tied": v.tied,
            "capped": v.capped,
            "n_seeds": v.n_seeds,
            "evidence": v.evidence,
            "why": v.why,
        }
        for v in judged
    )


def effects_frame(judged: list[Verdict]) -> pd.DataFrame:
    """A row an effect, those that do not decide included."""
    keys = ("profile", "experiment", "protocol", "where")
    rows = [
        {"claim": v.claim.number}
        | {key: getattr(v, key) for key in keys}
        | {"comparison": e.name, "unit": e.unit, "claimed": e.claimed if e.decides else "", "ratio": e.ratio}
        | dict(zip(("effect", "low", "high"), e.shown, strict=True))
        | {"n_seeds": e.n_seeds, "state": e.state if e.decides else "", "note": e.note}
        for v in judged
        for e in v.effects
    ]
    return pd.DataFrame(rows)
