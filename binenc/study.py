"""What a chapter reads: the records of some profiles, or of a part of them, as one table."""

import json
import os
import re
import tempfile
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from binenc import records
from binenc.choice import choose
from binenc.profile import ARCHITECTURES, InputError, Profile, Run
from binenc.protocol import in_words

KEYS = ["profile", "experiment", "protocol", "architecture"]
"""Columns that, with the seed, name a run in a table."""
GROUP = KEYS[:3]
"""Columns that name a profile, experiment and protocol."""


SPACE = 64 << 20
"""Bytes that a record takes at most, with the weights of the paper's networks, which take 40 MB."""


@dataclass(frozen=True)
class Study:
    """Runs with a record, by profile, those that have none yet, and the long table of their histories.

    Columns of ``table``: profile, experiment, protocol, architecture, seed, epoch, split, metric, value.
    """

    profiles: dict[str, Profile]
    runs: dict[str, list[Run]]
    missing: dict[str, list[Run]]
    table: pd.DataFrame

    def each(self) -> Iterator[tuple[str, Run]]:
        """All runs with a record, each with the name of its profile."""
        return ((name, run) for name, runs in self.runs.items() for run in runs)

    def parts(self) -> Iterator[tuple[str, str, list[str]]]:
        """Profile, protocol and experiments of all runs with a record: what one figure shows."""
        for profile, runs in self.runs.items():
            for protocol in dict.fromkeys(r.protocol_name for r in runs):
                experiments = dict.fromkeys(r.experiment_name for r in runs if r.protocol_name == protocol)
                yield profile, protocol, list(experiments)

    def only(self, *architectures: str) -> "Study":
        """The part of some architectures, or all of it where it has none of them."""
        if not any(run.architecture in architectures for _, run in self.each()):
            return self
        runs = {n: [r for r in some if r.architecture in architectures] for n, some in self.runs.items()}
        return replace(self, runs=runs, table=self.table[self.table.architecture.isin(architectures)])

    def changed_in(self, change: str) -> "Study":
        """The part of the experiments with a change of that pattern, which may have no run."""
        pattern = f",{change}(?:,|$)"
        runs = {
            n: [r for r in some if re.search(pattern, r.experiment_name)] for n, some in self.runs.items()
        }
        return replace(self, runs=runs, table=self.table[self.table.experiment.str.contains(pattern)])

    def label(self, profile: str, experiment: str, protocol: str = "") -> str:
        """The experiment's title, with the profile where two have experiments of that title; the protocol."""
        titles = {(name, run.experiment_name): run.experiment.title for name, run in self.each()}
        mine = titles[profile, experiment]
        several = len({name for (name, _), title in titles.items() if title == mine}) > 1
        said = f"{mine} ({profile})" if several else mine
        return f"{said}, {in_words(protocol)}" if protocol else said

    def title(self, profile: str, experiment: str, protocol: str = "") -> str:
        """The experiment, the protocol, and which profile its runs are from."""
        return f"{self.label(profile, experiment, protocol)} · {source(self.profiles[profile])}"

    def fold(self, profile: str, experiments: Sequence[str], protocol: str) -> str:
        """The title under which to fold a figure of these: none for the first profile that has runs."""
        if profile == next(self.each())[0]:
            return ""
        *some, last = experiments
        return "; ".join([*(self.label(profile, e) for e in some), self.title(profile, last, protocol)])

    def examples(self, profile: str, experiment: str, protocol: str) -> dict[str, records.Record]:
        """One record an architecture: of the first seed, or of the next where that has none."""
        found = {}
        for run in sorted(self.runs[profile], key=lambda run: run.seed):
            if (run.experiment_name, run.protocol_name) == (experiment, protocol):
                found.setdefault(run.architecture, run)
        loaded = {
            name: records.find(self.profiles[profile], found[name]) for name in ARCHITECTURES if name in found
        }
        return {name: record for name, record in loaded.items() if record is not None}


def source(profile: Profile) -> str:
    """The name of a profile, and where its records are from."""
    return f"profile {profile.name}, {profile.origin}"


def find_or_train(profile: Profile, run: Run, progress: bool = True) -> records.Record:
    """The run's record; trained and saved first if there is none.

    Raises
    ------
    InputError
        If a record could not be saved there, which is better known before the training.
    """
    record = records.find(profile, run)
    if record is None:
        place = records.folder(profile, run).parent
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place) as file:
                os.posix_fallocate(file.fileno(), 0, SPACE)
        except OSError as error:
            raise InputError(f"{place}: no record can be saved there ({error.strerror})") from None
        from binenc.training import train  # torch is not needed to read a record

        record, weights = train(run, progress=progress)
        records.save(record, records.folder(profile, run), weights)
    return record


def read(
    profiles: list[str],
    experiments: list[str] = (),
    protocols: list[str] = (),
    architectures: list[str] = (),
    seeds: list[int] = (),
    variants: Collection[str] = (),
) -> Study:
    """The study of the runs that `choose` names.

    Where none of them was trained yet, the ``smoke`` runs are trained on the spot, and a line says so.

    Raises
    ------
    InputError
        If a profile, or a name that is asked for, is unknown.
    """
    runs = choose(profiles, experiments, protocols, architectures, seeds, variants)
    found = {name: Profile.read(name) for name in runs}
    have = {name: [r for r in some if records.is_current(found[name], r)] for name, some in runs.items()}
    if not any(have.values()):
        print(
            "None of these runs was trained yet, so the smoke runs are shown: they are evidence of nothing."
        )
        print("`make book` trains the runs of the quick profile.")
        found = {"smoke": Profile.read("smoke")}
        runs = {"smoke": _like(found["smoke"].all_runs(), architectures, protocols, seeds)}
        for run in runs["smoke"]:
            find_or_train(found["smoke"], run, progress=False)
        have = runs
    shown = [name for name in have if have[name]]
    table = pd.concat([records.tabulate(found[name], have[name]).assign(profile=name) for name in shown])
    return Study(
        {name: found[name] for name in shown},
        {name: have[name] for name in shown},
        {name: [r for r in runs[name] if r not in have[name]] for name in runs},
        table[["profile", *table.columns.drop("profile")]].reset_index(drop=True),
    )


def _like(runs: list[Run], architectures: list[str], protocols: list[str], seeds: list[int]) -> list[Run]:
    """Those of the runs that have what was asked for, as far as any does."""
    for field, values in (("architecture", architectures), ("protocol_name", protocols), ("seed", seeds)):
        runs = [r for r in runs if getattr(r, field) in values] or runs
    return runs


def last_epoch(table: pd.DataFrame) -> pd.DataFrame:
    """The rows of each run's last epoch."""
    last = table.groupby([*KEYS, "seed"], sort=False).epoch.transform("max")
    return table[table.epoch == last]


def over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """Mean and sample std over the seeds; columns ``KEYS``, split, metric, epoch, mean, std, n.

    The first two are NaN where a seed has no value: a mean of fewer would jump where that seed comes in.
    """
    grouped = table.groupby([*KEYS, "split", "metric", "epoch"], sort=False).value
    found = grouped.agg(["mean", "std", "count", "size"]).rename(columns={"count": "n"})
    found.loc[found.n < found.pop("size"), ["mean", "std"]] = np.nan
    return found.reset_index()


def contents(profile: Profile, run: Run) -> dict:
    """What run.json of a record says."""
    return json.loads((records.folder(profile, run) / "run.json").read_text())
