"""Every claim judged by the records: for each profile, experiment and protocol by itself."""

from collections.abc import Sequence
from dataclasses import replace

import pandas as pd

from binenc.claims import CLAIMS, Claim
from binenc.study import Study, contents, source
from binenc.verdict import Needs, Part, Verdict, decide, to_frame


def judge_table(
    table: pd.DataFrame, no_evidence: dict[str, str] | None = None, which: Sequence[Claim] = CLAIMS
) -> list[Verdict]:
    """Judge claims for each profile, experiment and protocol of a table like that of `Study`.

    Among its metrics is ``n_parameters`` (see `parameter_counts`). ``no_evidence`` maps a profile from which
    nothing follows to the reason.
    """
    judged = []
    for key, rows in table.groupby(["profile", "experiment", "protocol"], sort=False):
        part, no = Part(rows), (no_evidence or {}).get(key[0], "")
        for c in which:
            try:
                found = tuple(c.effects(part))
            except Needs as error:
                judged.append(Verdict(c, *key, "undecided", no or str(error)))
            else:
                deciding = [effect for effect in found if effect.decides]
                judged.append(Verdict(c, *key, *decide(deciding, c.one_suffices, no), found, evidence=not no))
    return judged


def parameter_counts(found: Study) -> pd.DataFrame:
    """The size of each network, as its record states it, as rows of the study's table."""
    rows = []
    for name, runs in found.runs.items():
        for run in runs:
            key = (name, run.experiment_name, run.protocol_name, run.architecture, run.seed)
            size = float(contents(found.profiles[name], run)["n_parameters"])
            rows.append((*key, 0, "train", "n_parameters", size))
    return pd.DataFrame(rows, columns=found.table.columns)


def judge(found: Study) -> list[Verdict]:
    """Judge every claim by the records of a study."""
    small = "the profile {} is too small to say anything"
    no = {name: small.format(name) for name, profile in found.profiles.items() if not profile.evidence}
    judged = []
    for v in judge_table(pd.concat([found.table, parameter_counts(found)], ignore_index=True), no):
        title = found.label(v.profile, v.experiment)
        judged.append(replace(v, title=title, source=source(found.profiles[v.profile])))
    return judged


def verdicts(found: Study) -> pd.DataFrame:
    """The verdict on every claim, a row for each profile, experiment and protocol."""
    return to_frame(judge(found))
