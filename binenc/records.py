"""What one run leaves behind: saved whole or not at all, read back if it is the same run, tabulated."""

import hashlib
import json
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from binenc.profile import ROOT, Profile, Run

RESULTS = ROOT / "results"
TRAINING_SOURCES = ("data.py", "models.py", "loss.py", "protocol.py", "training.py", "metrics/*.py")
FILES = ("history.parquet", "arrays.npz")


@dataclass(frozen=True)
class Record:
    """One finished run.

    ``run`` holds id, configuration and provenance; ``history`` the columns epoch, split, metric, value;
    ``arrays`` the codebook, class means and latents at a few epochs.
    """

    run: dict
    history: pd.DataFrame
    arrays: dict[str, np.ndarray]

    def final(self, metric: str, split: str) -> float:
        """The value of a metric after the last epoch."""
        h = self.history
        return h[(h.metric == metric) & (h.split == split)].sort_values("epoch").value.iloc[-1]


def code_version() -> str:
    """SHA-256 of the sources that decide a record."""
    package = Path(__file__).parent
    digest = hashlib.sha256()
    for pattern in TRAINING_SOURCES:
        for path in sorted(package.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()


def folder(profile: Profile, run: Run) -> Path:
    return RESULTS / profile.name / run.id


def save(record: Record, path: Path, weights: dict | None = None) -> None:
    """Write a record to its folder, whole or not at all: a temporary sibling is renamed into place."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = Path(tempfile.mkdtemp(prefix=f".{path.name}-", dir=path.parent))
    try:
        record.history.to_parquet(draft / "history.parquet", index=False)
        np.savez_compressed(draft / "arrays.npz", **record.arrays)
        if weights is not None:
            from safetensors.torch import save_file

            save_file(weights, draft / "weights.safetensors")
        content = record.run | {"files": {name: _sha256(draft / name) for name in FILES}}
        (draft / "run.json").write_text(json.dumps(content, indent=1))
        draft.chmod(0o755)
        if path.exists():
            shutil.rmtree(path)
        os.rename(draft, path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise


def load(path: Path) -> Record:
    """Read a record.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is corrupt.
    """
    run_json = path / "run.json"
    if not path.exists():
        raise FileNotFoundError(f"no record in {path}")
    try:
        run = json.loads(run_json.read_text())
        for name, expected in run["files"].items():
            if _sha256(path / name) != expected:
                raise ValueError(f"{name} has another checksum than run.json says")
        with np.load(path / "arrays.npz") as arrays:
            return Record(run, pd.read_parquet(path / "history.parquet"), dict(arrays))
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"corrupt record {path}: {error}") from error


def find(profile: Profile, run: Run) -> Record | None:
    """The record of a run, if it has one that was made by the same configuration (and the same code).

    A corrupt record is named on stderr and set aside, so that the run is trained again.
    """
    path = folder(profile, run)
    try:
        record = load(path)
    except FileNotFoundError:
        return None
    except ValueError as error:
        aside = path.with_name(f"{path.name}.corrupt")
        shutil.rmtree(aside, ignore_errors=True)
        os.rename(path, aside)
        print(f"{error}; set aside as {aside.name}", file=sys.stderr)
        return None
    return record if _current(profile, run, record.run) else None


def is_current(profile: Profile, run: Run) -> bool:
    """Whether `find` would return a record, told from run.json alone."""
    try:
        return _current(profile, run, json.loads((folder(profile, run) / "run.json").read_text()))
    except (OSError, ValueError):
        return False


def _current(profile: Profile, run: Run, made: dict) -> bool:
    same = made.get("configuration") == run.configuration
    return same and (profile.recorded or made.get("code") == code_version())


def tabulate(profile: Profile, runs: list[Run]) -> pd.DataFrame:
    """Long table of the histories of those runs that have a record.

    Columns: experiment, protocol, architecture, seed, epoch, split, metric, value.
    """
    columns = ["experiment", "protocol", "architecture", "seed"]
    tables = []
    for run in runs:
        if is_current(profile, run):
            history = pd.read_parquet(folder(profile, run) / "history.parquet")
            names = (run.experiment_name, run.protocol_name, run.architecture, run.seed)
            tables.append(history.assign(**dict(zip(columns, names, strict=True))))
    if not tables:
        return pd.DataFrame(columns=[*columns, "epoch", "split", "metric", "value"])
    table = pd.concat(tables, ignore_index=True)
    return table[[*columns, "epoch", "split", "metric", "value"]]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
