"""What a chapter reads: the records of some profiles, or of a part of them, as one table."""

from dataclasses import dataclass

import pandas as pd

from binenc import records
from binenc.profile import InputError, Profile, Run


@dataclass(frozen=True)
class Study:
    """Runs with a record, by profile, and the long table of their histories.

    Columns of ``table``: profile, experiment, protocol, architecture, seed, epoch, split, metric, value.
    """

    profiles: dict[str, Profile]
    runs: dict[str, list[Run]]
    table: pd.DataFrame


def find_or_train(profile: Profile, run: Run, progress: bool = True) -> records.Record:
    """The run's record; trained and saved first if there is none."""
    record = records.find(profile, run)
    if record is None:
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
) -> Study:
    """The study of the given profiles; an empty list takes everything.

    Where nothing was trained yet, the ``smoke`` runs are trained on the spot, and a line says so.

    Raises
    ------
    InputError
        If a profile, or a name that is asked for, is unknown.
    """
    found = {name: Profile.read(name) for name in profiles}
    wanted = {
        "experiment_name": list(experiments),
        "protocol_name": list(protocols),
        "architecture": list(architectures),
        "seed": list(seeds),
    }
    runs = {name: _select(profile.all_runs(), wanted) for name, profile in found.items()}
    if not any(runs.values()):
        raise InputError(f"no run of {', '.join(profiles)} has {wanted}")
    runs = {name: [r for r in some if records.is_current(found[name], r)] for name, some in runs.items()}
    if not any(runs.values()):
        print("Nothing was trained yet: training the smoke runs, which are no evidence. `make book` trains all.")
        smoke = Profile.read("smoke")
        for run in smoke.all_runs():
            find_or_train(smoke, run, progress=False)
        found, runs = {"smoke": smoke}, {"smoke": smoke.all_runs()}
    tables = [
        records.tabulate(found[name], some).assign(profile=name) for name, some in runs.items() if some
    ]
    table = pd.concat(tables, ignore_index=True)
    return Study(found, runs, table[["profile", *table.columns.drop("profile")]])


def _select(runs: list[Run], wanted: dict[str, list]) -> list[Run]:
    for field, allowed in wanted.items():
        known = {getattr(run, field) for run in runs}
        unknown = [value for value in allowed if value not in known]
        if unknown:
            raise InputError(f"{field} {unknown[0]!r}: this profile has {', '.join(map(str, sorted(known)))}")
    return [r for r in runs if all(not a or getattr(r, f) in a for f, a in wanted.items())]
