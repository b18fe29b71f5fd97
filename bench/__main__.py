"""Measure and write ``_build/bench.json``: a quarter of an hour on an idle machine, or some parts of it.

``python -m bench [cpu] [gpu] [build] [bf16]``
"""

import json
import os
import sys

import torch

from bench import building, measures, steps
from binenc.commands import command
from binenc.profile import ROOT, InputError
from binenc.provenance import processor, provenance
from binenc.training import device
from pipeline.speed import goals_of

CPU = torch.device("cpu")
LATER = 2000
"""Steps after which a training is timed once more: two epochs of MNIST."""


def main(chosen: list[str]) -> None:
    """Measure the chosen parts, or all; each is written when it is complete, beside the others of before."""
    parts = {"cpu": cpu_rows, "gpu": gpu_rows, "build": building.rows, "bf16": measures.precision_effect}
    if unknown := [part for part in chosen if part not in parts]:
        raise InputError(f"part {unknown[0]!r}: allowed are {', '.join(parts)}")
    path = ROOT / "_build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    known = json.loads(path.read_text()) if path.exists() else {}
    on_gpu = torch.cuda.is_available()
    for part in chosen or parts:
        if part == "gpu" and not on_gpu:
            print("gpu: not measured, there is none")
            continue
        made = {
            "hardware": {
                "cpu": processor(),
                "cores": os.cpu_count(),
                "vector_instructions": torch.backends.cpu.get_cpu_capability(),
                "gpu": torch.cuda.get_device_name() if on_gpu else None,
            },
            "load_before": os.getloadavg()[0],
        } | provenance(CPU if part in ("cpu", "build") else device())
        rows = []
        for row in parts[part]():
            rows.append(row)
            print(shown(row), flush=True)
        known[part] = made | {"rows": rows}
        draft = path.with_suffix(".draft")  # an interrupted benchmark leaves the file as it was
        draft.write_text(json.dumps(known, indent=1))
        os.replace(draft, path)


def cpu_rows():
    """Training, evaluation and metrics on the CPU."""
    mlp, cnn = steps.paper("mnist"), steps.paper("fashion_mnist")
    same = steps.same_numbers(mlp)
    apart = f"differ by at most {same:.1g} of their value" if same else "are identical"
    note = f"Same order and masks: the losses of 20 steps {apart}."
    goals = {"ratio": 1.6, "share": 0.8}
    full = steps.training_row("MNIST MLP, float32", mlp, CPU, goals, note)
    yield full
    note = "Moments of Adam have then faded to denormal numbers, which ours sets to 0 now and then."
    yield steps.training_row(f"MNIST MLP, float32, after {LATER} steps", mlp, CPU, goals, note, LATER)
    half = steps.training_row("MNIST MLP, bf16", steps.paper("mnist", precision="bf16"), CPU, {"ratio": 2.5})
    yield half | {"note": bf16_note(half["limit"] / full["limit"])}
    yield steps.training_row("FashionMNIST CNN, float32", cnn, CPU)
    yield steps.evaluation_row(mlp)
    yield steps.evaluation_row(cnn)
    yield measures.metrics_row(64, CPU, {"ratio": 5})
    yield measures.metrics_row(128, CPU, {"at most": 5})
    yield measures.metrics_row(2048, CPU, {"ratio": 50})


def gpu_rows():
    """The same on a GPU; the goal of 15 is for the whole training, of which a step is nearly all.

    Metrics should take a tenth of the time of an epoch's training.
    """
    gpu = torch.device("cuda")
    for experiment in ("mnist", "fashion_mnist"):
        for precision in ("float32", "tf32", "bf16"):
            run = steps.paper(experiment, precision=precision)
            yield steps.training_row(f"{run.experiment.title}, {precision}, GPU", run, gpu, {"ratio": 15})
    for d in measures.NETWORKS:
        yield measures.metrics_row(d, gpu, {"at most": 0.1 * measures.epoch_seconds(d, gpu)})


def bf16_note(limits: float) -> str:
    """Whether the CPU has instructions for bf16, and how its limit compares with that of float32."""
    with open("/proc/cpuinfo") as lines:
        flags = next((line.split() for line in lines if line.startswith("flags")), [])
    found = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags]
    has = " and ".join(found) or "no instructions for bf16"
    return f"This CPU has {has}: the limit is {limits:.2f} times that of float32."


def shown(row: dict) -> str:
    """A row as text."""
    if "metric" in row:
        sides = (
            f"{key} {row[key]:.4g} ± {row[f'{key}_std']:.2g}" for key in ("float32", "bf16", "difference")
        )
        return f"{row['split']} {row['metric']}: {', '.join(sides)}"
    columns = ("ours", "baseline", "ratio", "limit", "share")
    numbers = ", ".join(f"{name} {row[name]:.4g}" for name in columns if row.get(name) is not None)
    goals = f"; goal {', '.join(verdicts)}" if (verdicts := goals_of(row)) else ""
    return f"{row['part']} [{row['unit']}]: {numbers}{goals}" + (
        f"\n    {row['note']}" if row["note"] else ""
    )


if __name__ == "__main__":
    command(lambda: main(sys.argv[1:]))
