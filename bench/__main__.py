"""Measure everything and write ``_build/bench.json``: a quarter of an hour on an idle machine."""

import json
import os
import sys
import time

import torch

from bench import building, measures, steps
from binenc.profile import ROOT, InputError
from binenc.provenance import processor, provenance

CPU = torch.device("cpu")
NO_GPU = "not measured: no GPU"


def main() -> None:
    """Rows of the CPU, rows of a GPU where there is one, and the effect of bf16."""
    started, load = time.perf_counter(), os.getloadavg()[0]
    rows = list(shown(cpu_rows()))
    on_gpu = torch.cuda.is_available()
    rows += (
        list(shown(gpu_rows(torch.device("cuda"))))
        if on_gpu
        else [{"part": "GPU", "unit": "", "goals": {}, "note": NO_GPU}]
    )
    rows += list(shown(building.rows()))
    effect = measures.precision_effect()
    print(f"\n{'bf16 on the digits':38}{'float32':>22}{'bf16':>22}{'bf16 - float32':>22}")
    for x in effect:
        print(
            f"{x['split'] + ' ' + x['metric']:38}"
            + "".join(f"{x[k]:>13.4g} ± {x[k + '_std']:<6.2g}" for k in ("float32", "bf16", "difference"))
        )
    report = {
        "hardware": {
            "cpu": processor(),
            "cores": os.cpu_count(),
            "vector_instructions": torch.backends.cpu.get_cpu_capability(),
            "gpu": torch.cuda.get_device_name() if on_gpu else None,
        },
        "load_before": load,
        "load_average": os.getloadavg(),
        "seconds": round(time.perf_counter() - started),
        "rows": rows,
        "bf16_effect": effect,
    } | provenance(CPU)
    path = ROOT / "_build" / "bench.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(report, indent=1))
    print(f"\n{path.relative_to(ROOT)}: {report['seconds']} s, load {report['load_average'][0]:.1f}")


def cpu_rows():
    """Training, evaluation and metrics on the CPU."""
    mlp, cnn = steps.paper("mnist"), steps.paper("fashion_mnist")
    same = steps.same_numbers(mlp)
    note = f"Same order and masks: the losses of 20 steps differ by at most {same:.1g}, relatively."
    yield steps.training_row("MNIST MLP, float32", mlp, CPU, {"ratio": 1.6, "share": 0.8}, note)
    bf16 = steps.paper("mnist", precision="bf16")
    yield steps.training_row("MNIST MLP, bf16", bf16, CPU, {"ratio": 2.5}, bf16_note())
    yield steps.training_row("FashionMNIST CNN, float32", cnn, CPU)
    yield steps.evaluation_row(mlp, CPU)
    yield steps.evaluation_row(cnn, CPU)
    yield measures.metrics_row(64, CPU, {"ratio": 5})
    yield measures.metrics_row(128, CPU, {"at most": 5})
    yield measures.metrics_row(2048, CPU, {"ratio": 50})


def gpu_rows(gpu: torch.device):
    """The same on a GPU; the goal of 15 is for the whole training, of which a step is nearly all."""
    for experiment in ("mnist", "fashion_mnist"):
        for precision in ("float32", "tf32", "bf16"):
            run = steps.paper(experiment, precision=precision)
            yield steps.training_row(f"{run.experiment.title}, {precision}, GPU", run, gpu, {"ratio": 15})
    for d in measures.NETWORKS:
        yield measures.metrics_row(d, gpu, {})


def bf16_note() -> str:
    """Whether the CPU has instructions for bf16, without which it is slower than float32."""
    with open("/proc/cpuinfo") as lines:
        flags = next((line.split() for line in lines if line.startswith("flags")), [])
    found = [flag for flag in ("amx_bf16", "avx512_bf16") if flag in flags]
    return f"This CPU has {' and '.join(found) or 'no instructions for bf16'}."


def shown(rows):
    """The rows, each printed when it is known."""
    columns = ("ours", "baseline", "ratio", "limit", "share")
    print(f"{'':44}{'':18}" + "".join(f"{c:>10}" for c in columns) + "   goals")
    for r in rows:
        values = "".join(f"{r.get(c) or float('nan'):>10.4g}" for c in columns).replace("nan", "  -")
        goals = ", ".join(f"{name} {goal}" for name, goal in r["goals"].items())
        goals += (": met" if r["met"] else ": missed") if goals else ""
        print(f"{r['part']:44}{r['unit']:>18}{values}   {goals}\n    {r['note']}", flush=True)
        yield r


if __name__ == "__main__":
    try:
        main()
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
