"""Take the records of a profile from one machine to another, as one file.

    python -m binenc.commands.exchange export PROFILE FILE
    python -m binenc.commands.exchange import FILE

The file is a plain tar: what a record holds is compressed already. Its first member names the profile and the
checksum of each run.json, which in turn has the checksums of the files beside it: so every byte is checked.
"""

import contextlib
import hashlib
import io
import json
import os
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
from pydantic import BaseModel, Field, ValidationError

from binenc import records
from binenc.commands import command
from binenc.profile import InputError, Profile, Run, first_complaint

FILES = ("run.json", *records.FILES)
"""What of a record travels: all but the weights."""
LIST = "records.json"
ARRAYS = {
    **{"epoch": 1, "sample_latents": 3, "sample_pca": 3, "sample_labels": 2, "codebook": 3},
    **{"test_codebook": 2, "test_class_means": 2, "test_class_count": 1},
    **{"test_class_code_share": 1, "test_class_accuracy": 1},
}
"""What a report reads in arrays.npz: the number of dimensions of each array."""

Plain = Annotated[str, Field(pattern=r"^[\w .,:;()@+/-]+$")]
"""Text that Markdown leaves as it is: it stands on pages, where a role or a link could read other files."""


class Contents(BaseModel, strict=True):
    """What a report reads in run.json."""

    id: str
    configuration: dict
    code: str
    n_parameters: int
    classes: list[Plain]
    data_checksum: Plain
    wall_seconds: float
    commit: str = Field(pattern=r"^[0-9a-f]*$")
    dirty: bool
    date: Plain
    device: Plain
    threads: int
    versions: dict[Plain, Plain]


def export(profile: Profile, target: Path) -> list[Run]:
    """Pack the records that the profile's runs have; the same records give the same bytes.

    Raises
    ------
    InputError
        If there is none.
    """
    runs = [run for run in profile.all_runs() if records.find(profile, run) is not None]
    if not runs:
        raise InputError(
            f"profile {profile.name}: no record to export; `make paper PROFILE={profile.name}` trains"
        )
    contents = {
        run.id: {name: (records.folder(profile, run) / name).read_bytes() for name in FILES} for run in runs
    }
    listed = {
        "profile": profile.name,
        "runs": {key: hashlib.sha256(files["run.json"]).hexdigest() for key, files in contents.items()},
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(draft, "w", format=tarfile.PAX_FORMAT) as packed:
            _add(packed, LIST, json.dumps(listed, indent=1).encode())
            for key, files in contents.items():
                for name, content in files.items():
                    _add(packed, f"{profile.name}/{key}/{name}", content)
        os.replace(draft, target)
    finally:
        draft.unlink(missing_ok=True)
    return runs


def _add(packed: tarfile.TarFile, name: str, content: bytes) -> None:
    member = tarfile.TarInfo(name)  # of time 0 and no owner
    member.size = len(content)
    packed.addfile(member, io.BytesIO(content))


def add(source: Path) -> tuple[Profile, dict[str, str]]:
    """Check a file that `export` wrote and add its records, each whole, if all of them are sound.

    Returns
    -------
    The profile, and of each run in the file ``added``, ``already here``, or ``kept``: a record of this run
    lies here that is another one, and stays.

    Raises
    ------
    InputError
        If the file is not one of `export`, is damaged, or has a record that is not of a run of its profile;
        then nothing was added.
    """
    try:
        profile, runs, contents = _read(source)
        with _staged(profile) as stage:
            for key, run in runs.items():
                (stage / key).mkdir(parents=True)
                for name, content in contents[key].items():
                    _write(stage / key / name, content)
                _check(profile, run, stage / key)
            return profile, {
                key: _place(stage / key, records.folder(profile, run)) for key, run in runs.items()
            }
    except InputError as error:
        raise InputError(f"{source}: {error}; nothing was added") from None


def _read(source: Path) -> tuple[Profile, dict[str, Run], dict[str, dict[str, bytes]]]:
    """The profile, the runs and their files in an exported file: those that it lists, and no others."""
    try:
        size, contents = source.stat().st_size, {}
        with tarfile.open(source, "r:") as packed:
            for member in packed:
                if member.name in contents:
                    raise InputError(f"{member.name!r} stands twice")
                if member.type != tarfile.REGTYPE or member.issparse() or member.size > size:
                    raise InputError(f"{member.name!r} is not a plain file")
                contents[member.name] = packed.extractfile(member).read()
        listed = json.loads(contents.pop(LIST))
        name, checksums = listed["profile"], dict(listed["runs"])
    except OSError as error:
        raise InputError(error.strerror or str(error)) from None
    except (tarfile.TarError, EOFError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"not a file of exported records, or a damaged one ({error})") from None
    profile = Profile.read(name)
    known = {run.id: run for run in profile.all_runs()}
    for key in checksums:
        if key not in known:
            raise InputError(f"{key!r} is not a run of profile {name}")
    # A name in the archive is only ever compared with these, so that none can lead out of the folder.
    wanted = {f"{name}/{key}/{file}" for key in checksums for file in FILES}
    for what, names in (("lacks", wanted - contents.keys()), ("also holds", contents.keys() - wanted)):
        if names:
            raise InputError(f"it {what} {min(names)!r}")
    for key, expected in checksums.items():
        if hashlib.sha256(contents[f"{name}/{key}/run.json"]).hexdigest() != expected:
            raise InputError(f"{key}: run.json has another checksum than {LIST} says")
    return (
        profile,
        {key: known[key] for key in checksums},
        {key: {file: contents[f"{name}/{key}/{file}"] for file in FILES} for key in checksums},
    )


def _check(profile: Profile, run: Run, folder: Path) -> None:
    """Refuse a record that does not read back, or that would not be used here."""
    try:
        record = records.load(folder)
        kinds = {name: dtype.kind for name, dtype in record.history.dtypes.items()}
    except Exception as error:  # parquet and zip readers raise what they like on what is not theirs
        raise InputError(f"{run.id}: {' '.join(str(error).split()).replace(str(folder), '')}") from None
    if list(kinds) != list(records.HISTORY_COLUMNS) or (kinds["epoch"], kinds["value"]) != ("i", "f"):
        raise InputError(f"{run.id}: history has the columns {', '.join(map(str, kinds))}, or of other types")
    evaluated = record.history[record.history.metric == "accuracy"].groupby("split").epoch.agg(set).to_dict()
    if evaluated != {split: set(run.experiment.evaluated) for split in ("train", "test")}:
        raise InputError(f"{run.id}: history lacks accuracies, train or test, of epochs that are evaluated")
    rotation = {"rotation": 2} if run.experiment.classifier_rotated else {}
    for name, dimensions in (ARRAYS | rotation).items():
        if name not in record.arrays:
            raise InputError(f"{run.id}: arrays.npz lacks {name!r}")
        if (array := record.arrays[name]).ndim != dimensions or array.dtype.kind not in "biuf":
            raise InputError(
                f"{run.id}: arrays.npz: {name!r} is no array of numbers in {dimensions} dimensions"
            )
    if rotation and not _is_rotation(record.arrays["rotation"], record.arrays["codebook"].shape[2]):
        raise InputError(
            f"{run.id}: arrays.npz: 'rotation' is no orthogonal matrix of the latents' dimension"
        )
    if record.run.get("id") != run.id:
        raise InputError(f"{run.id}: run.json is of {record.run.get('id')!r}")
    if found := first_difference(records.filled(record.run.get("configuration")), run.configuration):
        raise InputError(f"{run.id}: made by another configuration than profile {profile.name} has: {found}")
    try:
        Contents.model_validate(record.run)
    except ValidationError as error:
        raise InputError(f"{run.id}: run.json: {first_complaint(error)}") from None
    if not profile.recorded and record.run["code"] != records.code_version():
        commit = f"commit {record.run['commit'][:10]}" if record.run["commit"] else "a copy without git"
        said = f"{run.id}: made by other sources of binenc ({commit}) than those here, which would retrain it"
        raise InputError(f"{said}; check those out, or say `recorded: true` in profiles/{profile.name}.yml")


def _is_rotation(matrix: np.ndarray, d: int) -> bool:
    return matrix.shape == (d, d) and np.allclose(matrix @ matrix.T, np.eye(d), atol=1e-4)


def first_difference(made, wanted, where: str = "configuration") -> str | None:
    """Where two configurations differ first, as ``configuration.experiment.gamma is 1.0, not 10.0``."""
    if isinstance(made, dict) and isinstance(wanted, dict):
        keys = [*wanted, *sorted(made.keys() - wanted.keys())]
        found = (first_difference(made.get(key), wanted.get(key), f"{where}.{key}") for key in keys)
        return next((difference for difference in found if difference), None)
    return None if made == wanted else f"{where} is {made!r}, not {wanted!r}"


@contextlib.contextmanager
def _staged(profile: Profile) -> Iterator[Path]:
    """A folder beside the profile's records, from which a folder can be renamed into its place."""
    home = records.RESULTS / profile.name
    home.mkdir(parents=True, exist_ok=True)
    records.sweep(home, ".import-*")
    with tempfile.TemporaryDirectory(prefix=".import-", dir=home) as stage:
        yield Path(stage)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as opened:
        opened.write(content)
        opened.flush()
        os.fsync(opened.fileno())


def _place(fresh: Path, folder: Path) -> str:
    """Rename a complete record into its place, unless one is there."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.rename(fresh, folder)
    except OSError:
        if not folder.exists():
            raise
        same = all(_content(folder / name) == (fresh / name).read_bytes() for name in FILES)
        return "already here" if same else "kept"
    return "added"


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main() -> None:
    match sys.argv[1:]:
        case ["export", name, target]:
            profile = Profile.read(name)
            runs = export(profile, Path(target))
            said = f"{len(runs)} of {len(profile.all_runs())} records of {name}"
            print(f"{target}: {said}, {Path(target).stat().st_size / 1e6:.1f} MB")
        case ["import", source] if source:
            profile, done = add(Path(source))
            for key in [key for key, what in done.items() if what == "kept"]:
                folder = f"{records.RESULTS.name}/{profile.name}/{key}"
                print(f"kept {folder}, which differs: move it away to take the file's", file=sys.stderr)
            counts = {what: list(done.values()).count(what) for what in ("added", "already here", "kept")}
            said = ", ".join(f"{n} {what}" for what, n in counts.items() if n) or "no record in it"
            print(f"{source}: profile {profile.name}: {said}")
            sys.exit(1 if counts["kept"] else 0)
        case _:
            raise InputError(
                "usage: binenc.commands.exchange export PROFILE FILE, or import FILE (`make import FILE=...`)"
            )


if __name__ == "__main__":
    command(main)
