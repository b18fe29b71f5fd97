"""Which runs are meant: those of a chapter, by the names in its parameters, or one machine's share."""

import re
from collections.abc import Collection

from binenc.profile import InputError, Profile, Run


def choose(
    profiles: list[str],
    experiments: list[str] = (),
    protocols: list[str] = (),
    architectures: list[str] = (),
    seeds: list[int] = (),
    variants: Collection[str] = (),
) -> dict[str, list[Run]]:
    """The runs of the given profiles that have these names; an empty list takes everything.

    An experiment or a protocol with a changed field (``as_written,softmax_twice=true``) is left out unless it
    is asked for by name, or there is no other, or ``variants`` has "experiment" or "protocol".

    Raises
    ------
    InputError
        If a profile, or a name that is asked for, is unknown.
    """
    if not profiles:
        raise InputError("profiles []: name at least one, like ['quick']")
    runs = {name: Profile.read(name).all_runs() for name in profiles}
    wanted = {
        "experiment": ("experiment_name", experiments),
        "protocol": ("protocol_name", protocols),
        "architecture": ("architecture", architectures),
        "seed": ("seed", seeds),
    }
    for word, (field, values) in wanted.items():
        known = list(dict.fromkeys(getattr(r, field) for some in runs.values() for r in some))
        for value in values:
            if not any(value == k and type(value) is type(k) for k in known):
                have = f"{', '.join(runs)} {'have' if len(runs) > 1 else 'has'} {', '.join(map(str, known))}"
                trains = _trains(word, value, runs) if "," in str(value) else ""
                raise InputError(f"{word} {value!r}: {have}{trains}")
        if values:
            runs = {name: [r for r in some if getattr(r, field) in values] for name, some in runs.items()}
    for word in ("experiment", "protocol"):
        field, values = wanted[word]
        if not values and word not in variants:
            plain = {n: [r for r in some if "," not in getattr(r, field)] for n, some in runs.items()}
            runs = plain if any(plain.values()) else runs
    return runs


def _trains(word: str, value: str, runs: dict[str, list[Run]]) -> str:
    """How a changed experiment or protocol is trained that no profile names under its runs."""
    base = value.split(",")[0]
    known = [(name, r.experiment_name) for name, some in runs.items() for r in some]
    same = [(name, experiment) for name, experiment in known if experiment == base]
    profile, experiment = (same or known)[0]
    asked = f"EXPERIMENT={value}" if word == "experiment" else f"EXPERIMENT={experiment} PROTOCOL={value}"
    return (
        f"; `make run PROFILE={profile} {asked}` trains another, which a chapter shows once a file of "
        "profiles/ has it under runs:"
    )


def shard(runs: list[Run], part: str) -> list[Run]:
    """The i-th of n parts of a profile's runs, written ``i/n``: n machines share them, one part each.

    The architectures of one experiment, protocol and seed, which are compared, stay together.

    Raises
    ------
    InputError
        If the part is not written so, or would be empty.
    """
    found = re.fullmatch(r"([1-9]\d{0,5})/([1-9]\d{0,5})", part, re.ASCII)
    if not found or (i := int(found[1])) > (n := int(found[2])):
        raise InputError(f"shard {part!r}: allowed is i/n with i from 1 to n, like 1/4")
    place: dict[tuple, int] = {}
    for run in runs:
        place.setdefault((run.experiment_name, run.protocol_name, run.seed), len(place))
    if i > len(place):
        raise InputError(
            f"shard {part!r}: what is compared stays together, so n is at most {len(place)} here"
        )
    return [r for r in runs if place[r.experiment_name, r.protocol_name, r.seed] % n == i - 1]
