"""How long a profile's missing runs take on this machine, from one measured epoch of each kind.

    python -m binenc.commands.estimate PROFILE [--shard 1/4] [--cores 2] [--keep FILE] [--yes]

ends with 0 where the training may start: on a GPU, or on a CPU that was insisted on, and in at most an hour
unless ``--yes`` says that longer is meant.
"""

import argparse
import contextlib
import dataclasses
import hashlib
import json
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from binenc import records
from binenc.choice import shard
from binenc.commands import command
from binenc.profile import InputError, Profile, Run
from binenc.text.words import counted, duration

LIMIT = 3600
"""Seconds above which a training is asked for twice."""

DRIVER = Path("/dev/nvidiactl")
"""There where the driver of an NVIDIA GPU is."""

SIZES = {"dataset", "backbone", "width", "channels", "penultimate", "batch_size", "precision"}


@dataclass(frozen=True)
class Cost:
    """Seconds of one epoch, of one evaluation, and of all that a run does once."""

    epoch: float
    evaluation: float
    once: float

    def of(self, run: Run) -> float:
        """Seconds of a run of this kind."""
        e = run.experiment
        return self.once + e.epochs * self.epoch + len(e.evaluated) * self.evaluation


def missing(profile: Profile, part: str | None = None) -> list[Run]:
    """The runs of a profile, or of one part of it, that have no record."""
    runs = profile.all_runs()
    return [run for run in (shard(runs, part) if part else runs) if not records.is_current(profile, run)]


def kind(run: Run) -> tuple[str, int, int]:
    """What decides the time of an epoch: sizes of the experiment, dimension of the latents, dense layers."""
    from binenc.models import dimension  # torch is not needed where nothing is missing

    dense_layers = run.protocol.cnn_dense_layers if run.experiment.backbone == "cnn" else 0
    return run.experiment.model_dump_json(include=SIZES), dimension(run), dense_layers


def measure(run: Run, threads: int, keep: Path | None = None) -> Cost:
    """Train a run for one epoch; on a GPU for three, twice, as the first time starts it up.

    ``keep`` is a file that remembers what was measured with the same sources, device and threads.
    """
    import torch

    from binenc.provenance import provenance
    from binenc.training import device, train

    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        epochs = 3 if device().type == "cuda" else 1
        short = dataclasses.replace(run, experiment=run.experiment.model_copy(update={"epochs": epochs}))
        named = [short.configuration, records.code_version(), provenance(device())["device"], threads]
        key = hashlib.sha256(json.dumps(named).encode()).hexdigest()
        known = _remembered(keep)
        if key not in known:
            for _ in range(2 if epochs > 1 else 1):  # what a GPU's first run starts up is no part of others
                made = train(short, progress=False)[0].run
            training, evaluation = made["training_seconds"], made["evaluation_seconds"]
            once = max(made["wall_seconds"] - training - evaluation, 0.0)
            known[key] = [training / epochs, evaluation / len(short.experiment.evaluated), once]
            if keep:
                keep.parent.mkdir(parents=True, exist_ok=True)
                keep.write_text(json.dumps(known))
        return Cost(*known[key])
    finally:
        torch.set_num_threads(before)


def _remembered(keep: Path | None) -> dict[str, list[float]]:
    with contextlib.suppress(OSError, ValueError):
        if keep and isinstance(known := json.loads(keep.read_text()), dict):
            return known
    return {}


def at_a_time(profile: Profile, cores: int, gpu: bool) -> int:
    """Runs that make progress side by side as fast as alone: one on a GPU, as many as have cores on a CPU."""
    return 1 if gpu else max(cores // profile.resources.threads, 1)


def no_gpu() -> str:
    """Why none is used: there is none, or torch does not find it."""
    import torch

    if not DRIVER.exists():
        return "no GPU found"
    cuda = torch.version.cuda
    built = f"for CUDA {cuda}, which may want a newer driver" if cuda else "without CUDA"
    return f"torch {torch.__version__} does not find the GPU of this machine: it is built {built}"


def check(profile: Profile, part: str | None, cores: int, keep: Path | None, yes: bool) -> None:
    """Print the estimate of what is missing.

    Raises
    ------
    InputError
        If there is no GPU and the CPU was not insisted on, or it takes over an hour and ``yes`` was not said.
    """
    runs = missing(profile, part)
    here = f"profile {profile.name}{f', part {part}' if part else ''}"
    if not runs:
        print(f"{here}: every run has its record")
        return
    from binenc.training import device

    gpu = device().type == "cuda"
    if not gpu and os.environ.get("BINENC_DEVICE") != "cpu":
        raise InputError(
            f"{here}: {no_gpu()}, and {counted(len(runs), 'run')} to train. The same command with "
            "BINENC_DEVICE=cpu insists on the CPU and first says how long it takes"
        )
    threads = min(profile.resources.threads, cores)
    print(
        f"{here}: {counted(len(runs), 'run')} to train on {device()}, {counted(threads, 'thread')} each",
        flush=True,
    )
    total, costs, counts = 0.0, {}, Counter(map(kind, runs))
    for run in runs:
        if (what := kind(run)) not in costs:
            costs[what] = cost = measure(run, threads, keep)
            print(
                f"  {run.experiment_name}, d = {what[1]}: {counted(counts[what], 'run')}; "
                f"{cost.epoch:.2f} s an epoch, {cost.evaluation:.2f} s an evaluation, "
                f"{duration(cost.of(run))} a run",
                flush=True,
            )
        total += costs[what].of(run)
    lanes = at_a_time(profile, cores, gpu)
    total /= min(lanes, len(runs))
    said = "as if one after another on the GPU, which several share" if gpu else f"{lanes} at a time"
    print(f"  in all about {duration(total)}, {said}; a page adds seconds", flush=True)
    if total > LIMIT and not yes:
        raise InputError(
            f"{here}: about {duration(total)}, over an hour: the same command with YES=1 starts it"
        )


def main() -> None:
    parser = argparse.ArgumentParser("binenc.commands.estimate")
    parser.add_argument("profile")
    parser.add_argument("--shard")
    parser.add_argument("--cores", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--yes", action="store_true")
    asked = parser.parse_args()
    check(Profile.read(asked.profile), asked.shard, asked.cores, asked.keep, asked.yes)


if __name__ == "__main__":
    command(main)
