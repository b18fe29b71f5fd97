"""What one run leaves behind: saved whole or not at all, read back if it is the same run, tabulated."""

import contextlib
import functools
import hashlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from binenc.profile import ROOT, Experiment, Profile, Run
from binenc.protocol import Protocol

RESULTS = ROOT / "results"
TRAINING_SOURCES = (
    "data.py",
    "models.py",
    "layers.py",
    "loss.py",
    "protocol.py",
    "training.py",
    "graphed_step.py",
    "metrics/[!.]*.py",  # of hidden files, a lock of an editor leads to nothing
)
FILES = ("history.parquet", "arrays.npz")
RUN_COLUMNS = {"experiment": "str", "protocol": "str", "architecture": "str", "seed": "int64"}
HISTORY_COLUMNS = {"epoch": "int64", "split": "str", "metric": "str", "value": "float64"}
STALE = 600
"""Seconds after which a draft is taken for what a killed run left."""


@dataclass(frozen=True)
class Record:
    """One finished run.

    ``run`` holds id, configuration and provenance; ``history`` the columns epoch, split, metric, value.
    ``arrays`` holds, at T of the evaluated epochs, ``epoch`` (T,), the latents of n <= 200 test points,
    ``sample_latents`` (T, n, at most 64), their plane ``sample_pca`` (T, n, 2) and ``sample_labels`` (T, n),
    and the ``codebook`` of the training points, bool (T, C, d); and, of the test points after the last epoch,
    what `binenc.metrics.per_class` returns, as ``test_codebook`` and so on. Where the classifier sees latents
    rotated, ``rotation`` (d, d) maps them to what it sees.
    """

    run: dict
    history: pd.DataFrame
    arrays: dict[str, np.ndarray]

    @functools.cached_property
    def last(self) -> dict[tuple[str, str], float]:
        """The value after the last epoch of each metric and split."""
        h = self.history.sort_values("epoch", kind="stable")
        return dict(zip(zip(h.metric, h.split, strict=True), h.value, strict=True))

    @property
    def sample_is_whole(self) -> bool:
        """Whether ``sample_latents`` have all dimensions of the latents."""
        return self.arrays["sample_latents"].shape[-1] == self.arrays["codebook"].shape[-1]

    def as_seen(self, latents: np.ndarray) -> np.ndarray:
        """Latents (n, d) as the classifier sees them, which may be rotated (`classifier_rotated`)."""
        rotation = self.arrays.get("rotation")
        return latents if rotation is None else latents @ rotation.T

    def final(self, metric: str, split: str) -> float:
        """The value of a metric after the last epoch."""
        return self.last[metric, split]


@functools.cache
def code_version(package: Path = Path(__file__).parent) -> str:
    """SHA-256 of the sources that decide a record, as they were when this module was imported."""
    digest = hashlib.sha256()
    for pattern in TRAINING_SOURCES:
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


code_version()  # A file changed during a training is not what trained.


def folder(profile: Profile, run: Run) -> Path:
    return RESULTS / profile.name / run.id


def save(record: Record, path: Path, weights: dict | None = None) -> None:
    """Write a record to its folder, whole or not at all: a temporary sibling is renamed into place.

    Raises
    ------
    TypeError : if an array holds objects, which only a pickle could keep.
    """
    pickled = [name for name, array in record.arrays.items() if np.asarray(array).dtype.hasobject]
    if pickled:
        raise TypeError(f"array {pickled[0]!r} holds objects: a record holds numbers and text")
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent, f".{path.name}-*")
    with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as place:
        draft = Path(place, "new")
        draft.mkdir()
        record.history.to_parquet(draft / "history.parquet", index=False)
        np.savez_compressed(draft / "arrays.npz", **record.arrays)
        if weights is not None:
            from safetensors.torch import save_file

            save_file(weights, draft / "weights.safetensors")
        content = record.run | {"files": {name: _sha256((draft / name).read_bytes()) for name in FILES}}
        (draft / "run.json").write_text(json.dumps(content, indent=1))
        for file in draft.iterdir():  # A power loss must not leave a name without its content.
            with file.open("rb") as opened:
                os.fsync(opened.fileno())
        if path.exists():
            os.rename(path, Path(place, "old"))
        os.rename(draft, path)


def sweep(folder: Path, drafts: str) -> None:
    """Remove the drafts of that pattern that killed processes left: those older than ``STALE``."""
    for draft in folder.glob(drafts):
        with contextlib.suppress(FileNotFoundError):
            if time.time() - draft.stat().st_mtime > STALE:
                shutil.rmtree(draft)


def load(path: Path) -> Record:
    """Read a record.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is corrupt.
    """
    return _record(*_read(path, *FILES))


def find(profile: Profile, run: Run) -> Record | None:
    """The record of a run, if it has one that was made by the same configuration (and the same code).

    A corrupt record is named on stderr and set aside, so that the run is trained again.
    """
    return _usable(profile, run, FILES, _record)


def is_current(profile: Profile, run: Run) -> bool:
    """Whether `find` returns a record, told from checksums alone; a corrupt one is set aside here, too."""
    return _usable(profile, run, FILES, lambda *_: True) or False


def tabulate(profile: Profile, runs: list[Run]) -> pd.DataFrame:
    """Long table of the histories of those runs that have a record.

    Columns: experiment, protocol, architecture, seed, epoch, split, metric, value.
    A corrupt record is named on stderr and set aside.
    """

    def read(_, history: io.BytesIO) -> pa.Table:
        return pq.read_table(history, columns=list(HISTORY_COLUMNS))

    tables = ((run, _usable(profile, run, ["history.parquet"], read)) for run in runs)
    rows = [(run, table) for run, table in tables if table is not None]
    if not rows:
        columns = RUN_COLUMNS | HISTORY_COLUMNS
        return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in columns.items()})
    made, tables = zip(*rows, strict=True)
    row = np.repeat(np.arange(len(made)), [len(table) for table in tables])
    repeated = pd.DataFrame([r.key for r in made], columns=list(RUN_COLUMNS)).loc[row].reset_index(drop=True)
    history = pa.concat_tables(tables, promote_options="permissive").to_pandas()
    return pd.concat([repeated, history], axis=1)


def _record(run: dict, history: io.BytesIO, arrays: io.BytesIO) -> Record:
    with np.load(arrays, allow_pickle=False) as opened:
        return Record(run, pq.read_table(history).to_pandas(), dict(opened))


def _usable(profile: Profile, run: Run, names: Sequence[str], parse: Callable):
    """``parse`` of what `_read` returns, if a record is there, sound, of this configuration (and code)."""
    path = folder(profile, run)
    try:
        try:
            made, *contents = _read(path, *names)
        except (ValueError, FileNotFoundError):  # perhaps it was just being replaced
            made, *contents = _read(path, *names)
        if filled(made.get("configuration")) != run.configuration:
            return None
        if made.get("code") != code_version() and not (profile.recorded and profile.names(run)):
            return None  # kept are the runs that a profile names, not what a reader tries beside them
        return parse(made, *contents)
    except FileNotFoundError:
        return None
    except ValueError as error:
        return _set_aside(path, error)


def filled(configuration):
    """A run's configuration, as a record has it, with the defaults of fields that came to be since."""
    since = {
        part: {name: field.default for name, field in model.model_fields.items() if not field.is_required()}
        for part, model in (("experiment", Experiment), ("protocol", Protocol))
    }
    try:
        return configuration | {part: defaults | configuration[part] for part, defaults in since.items()}
    except (TypeError, KeyError):  # no configuration at all
        return configuration


def _read(path: Path, *names: str) -> tuple:
    """The content of run.json and those files of a record, which have the checksums that run.json says."""
    if not path.exists():
        raise FileNotFoundError(f"no record in {path}")
    try:
        run = json.loads((path / "run.json").read_bytes())
        expected, contents = run.pop("files"), []
        for name in names:
            content = (path / name).read_bytes()
            if _sha256(content) != expected[name]:
                raise ValueError(f"{name} has another checksum than run.json says")
            contents.append(io.BytesIO(content))
    except KeyError as error:
        raise ValueError(f"corrupt record {path}: run.json lacks {error}") from error
    except (FileNotFoundError, NotADirectoryError, ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"corrupt record {path}: {error}") from error
    return run, *contents


def _set_aside(path: Path, error: Exception) -> None:
    aside = path.with_name(f"{path.name}.corrupt")
    shutil.rmtree(aside, ignore_errors=True)
    with contextlib.suppress(FileNotFoundError):  # another page was faster
        os.rename(path, aside)
    print(f"{error}; set aside as {aside.name}", file=sys.stderr)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
