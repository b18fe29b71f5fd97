"""Train a recorded run again and compare it with its record, which stays untouched.

    python -m binenc.commands.verify PROFILE experiment/protocol/architecture/seed-0

ends with 0 where configuration and data are equal and every final metric is within its tolerance.

On the same machine a run repeats bit for bit. On another one rounding differs, and a network that is
trained for long amplifies that: at worst the training again is as good as a new seed. So the tolerance of a
metric is how far two seeds of the run's combination (experiment, protocol, architecture) lie apart at most,
with probability ``LEVEL``: t * sqrt(2) * s, with s the standard deviation over its n recorded seeds and t
Student's quantile for n - 1 degrees of freedom (the record itself is among the n, which errs on the wide
side: of new seeds 0.7 % are outside for n = 3); and ``ROUNDING`` times the value. Few seeds can agree by
accident, so s is at least the median one of the experiment's combinations: 48 new seeds of the digits MLP
beside each of three recorded ones then had 0.8 % of their metrics outside, 2.3 % without that bound, and
1.4 % with the median over the protocols of the same architecture. The binary loss, an exponential of the
latents, is compared by its logarithm, and as float32's largest number where it exceeds that; of seeds that
all do, s is a lower bound. Of a combination with one recorded seed s is unknown, and the largest is taken of
the same experiment and architecture under other protocols, else of the experiment, else of the profile.
"""

import os
import re
import sys
from dataclasses import dataclass

import numpy as np
import pandas as pd

from binenc import records
from binenc.claims.effect import student
from binenc.commands import command, estimate
from binenc.commands.exchange import first_difference
from binenc.profile import InputError, Profile, Run
from binenc.text.words import counted, duration

LEVEL = 0.99
ROUNDING = 1e-6
"""Relative difference that float32 makes by itself."""


@dataclass(frozen=True)
class Tolerance:
    """Of each (metric, split) the allowed difference, and from which seeds it is derived."""

    of: pd.Series
    source: str


def named(profile: Profile, name: str) -> Run:
    """The run of a profile with this id.

    Raises
    ------
    InputError
        If the name is not like that of a run, or of none that there is.
    """
    found = re.fullmatch(r"([^/]+)/([^/]+)/([^/]+)/seed-(\d{1,10})", name, re.ASCII)
    if not found:
        raise InputError(f"run {name!r}: allowed is like RUN={profile.all_runs()[0].id}")
    *names, seed = found.groups()
    return profile.run(*names, int(seed))


def recorded(profile: Profile, run: Run) -> records.Record:
    """The record of the run, of the configuration that the profile has.

    Raises
    ------
    InputError
        If there is none, it is corrupt, or it is of another configuration.
    """
    try:
        record = records.load(records.folder(profile, run))
    except FileNotFoundError:
        make = f"`make {'paper' if profile.recorded else 'book'} PROFILE={profile.name}` makes one"
        raise InputError(f"profile {profile.name}: {run.id} has no record to compare with; {make}") from None
    except ValueError as error:
        raise InputError(str(error)) from None
    if found := first_difference(records.filled(record.run.get("configuration")), run.configuration):
        raise InputError(f"profile {profile.name}: the record of {run.id} is another: {found}")
    return record


def scaled(values: pd.Series, metric: pd.Series | pd.Index) -> pd.Series:
    """What is compared of a metric: of the binary loss its natural logarithm, of others the value."""
    logarithm = np.log(values.clip(1, float(np.finfo(np.float32).max)))
    return values.where(metric != "loss_bin", logarithm)


def tolerance(table: pd.DataFrame, run: Run) -> Tolerance:
    """How far a training again may be off, from the profile's records as `records.tabulate` gives them."""
    combination, what = ["experiment", "protocol", "architecture"], ["metric", "split"]
    last = table[table.epoch == table.groupby([*combination, "seed"]).epoch.transform("max")]
    last = last.assign(value=scaled(last.value, last.metric))
    spread = last.groupby([*combination, *what]).value.agg(["std", "count"]).reset_index()
    spread = spread[spread["count"] >= 2]
    experiment = spread.experiment == run.experiment_name
    architecture = experiment & (spread.architecture == run.architecture)
    own = architecture & (spread.protocol == run.protocol_name)
    sources = {
        "the seeds of this combination": own,
        "other protocols, as this one has one seed": architecture,
        "the experiment's other combinations, as this one has one seed": experiment,
        "the profile's other experiments, as this one has one seed of each": spread.experiment.notna(),
    }
    source = next((source for source, chosen in sources.items() if chosen.any()), None)
    if source is None:
        return Tolerance(
            pd.Series(dtype=float), "nothing, as no combination has two seeds: only equality counts"
        )
    taken = spread[sources[source]].groupby(what).agg({"std": "max", "count": "min"})
    if own.any():
        typical = spread[experiment].groupby(what)["std"].median()
        taken["std"] = np.maximum(taken["std"], typical.reindex(taken.index))
    return Tolerance(student(taken["count"], LEVEL) * np.sqrt(2) * taken["std"], source)


def compare(record: records.Record, again: records.Record, allowed: Tolerance) -> pd.DataFrame:
    """One row a metric: record, again, their difference as `scaled`, tolerance, within."""
    table = pd.DataFrame({"record": record.last, "again": again.last}).rename_axis(["metric", "split"])
    then, now = (scaled(table[when], table.index.get_level_values("metric")) for when in ("record", "again"))
    table["difference"] = now - then
    rounding = ROUNDING * then.abs()
    table["tolerance"] = allowed.of.reindex(table.index).fillna(0.0) + rounding.fillna(0.0)
    same = (table.record == table.again) | (table.record.isna() & table.again.isna())
    table["within"] = same | (table.difference.abs() <= table.tolerance)
    return table


def bit_for_bit(record: records.Record, again: records.Record) -> bool:
    """Whether histories and arrays are equal to the last bit."""
    columns = list(records.HISTORY_COLUMNS)
    a, b = (r.history[columns].to_numpy(dtype=object).tolist() for r in (record, again))
    same = len(a) == len(b) and all(x[:3] == y[:3] and _equal(x[3], y[3]) for x, y in zip(a, b, strict=True))
    return (
        same
        and record.arrays.keys() == again.arrays.keys()
        and all(_equal(array, again.arrays[name]) for name, array in record.arrays.items())
    )


def _equal(a, b) -> bool:
    a, b = np.asarray(a), np.asarray(b)
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def elsewhere(record: records.Record, again: records.Record) -> list[str]:
    """What differs in how the two were made, of all that can change a bit."""
    made, now = record.run, again.run
    pairs = {what: (made.get(what), now[what]) for what in ("device", "threads")}
    pairs |= {
        what: (made.get("versions", {}).get(what), version) for what, version in now["versions"].items()
    }
    found = [f"{what} ({then}, here {here})" for what, (then, here) in pairs.items() if then != here]
    return found + ["sources of binenc"] * (made.get("code") != now["code"])


def verify(profile: Profile, run: Run) -> bool:
    """Train the run again, print the comparison, and tell whether it holds.

    Raises
    ------
    InputError
        If the run has no record, or one of another configuration or of other data.
    """
    record = recorded(profile, run)
    kept = profile.model_copy(update={"recorded": True})  # seeds made by other sources are seeds as well
    allowed = tolerance(records.tabulate(kept, profile.all_runs()), run)
    import torch

    from binenc import data
    from binenc.training import device, train

    checksum = data.load(run.experiment.dataset).checksum
    if checksum != record.run["data_checksum"]:
        raise InputError(
            f"{run.experiment.dataset}: other data than those of the record ({checksum[:12]}...)"
        )
    threads = min(record.run["threads"], os.cpu_count() or 1)
    torch.set_num_threads(threads)
    seconds = estimate.measure(run, threads).of(run)
    print(f"{run.id}: about {duration(seconds)} on {device()}, {counted(threads, 'thread')}", flush=True)
    again, _ = train(run)
    table = compare(record, again, allowed)
    shown = table.assign(within=table.within.map({True: "", False: "OUTSIDE"})).rename(columns={"within": ""})
    print(shown.reset_index().to_string(index=False, float_format="{:.6g}".format))
    print(
        f"tolerance: {LEVEL:.0%} for two seeds, and rounding; spread from {allowed.source}; "
        "difference and tolerance of loss_bin are of its logarithm"
    )
    equal, different = bit_for_bit(record, again), elsewhere(record, again)
    print(
        f"{'' if equal else 'not '}equal bit for bit"
        + (
            f"; made with other {', '.join(different)}"
            if different
            else "; versions, device, threads and code are equal"
        )
    )
    if again.run["n_parameters"] != record.run["n_parameters"]:
        print(f"OUTSIDE: {again.run['n_parameters']} parameters, the record has {record.run['n_parameters']}")
        return False
    print(f"{int((~table.within).sum())} of {len(table)} metrics outside (of a new seed, 1 in 100 by chance)")
    return bool(table.within.all())


def main() -> None:
    if len(sys.argv) != 3:
        raise InputError("usage: binenc.commands.verify PROFILE RUN (`make verify RUN=...`)")
    profile = Profile.read(sys.argv[1])
    sys.exit(0 if verify(profile, named(profile, sys.argv[2])) else 1)


if __name__ == "__main__":
    command(main)
