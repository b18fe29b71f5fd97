"""The page of the benchmark: what `make bench` measured here, else what is recorded with the repository."""

import json
from pathlib import Path

from binenc.profile import ROOT

RECORDED = ROOT / "bench/recorded.json"


def page(build: Path) -> str:
    """The page as Markdown."""
    here = build / "bench.json"
    made = json.loads((here if here.exists() else RECORDED).read_text())
    hardware = made["hardware"]
    n = made["bf16_effect"][0]["seeds"]
    where = "on the machine of this report" if here.exists() else "once, and recorded with the repository"
    about = (
        f"Measured by `make bench` {where}: {hardware['cpu']}, {hardware['cores']} cores, "
        f"{hardware['vector_instructions']}, GPU: {hardware['gpu'] or 'none'}; load average before and after "
        f"{made['load_before']:.1f} and {made['load_average'][0]:.1f}; torch {made['versions']['torch']}; "
        f"{made['date'][:10]}, commit {made['commit'][:9]}."
    )
    return "\n".join(
        [
            "# Speed\n",
            "What a user waits for: ours, a conventional way to do the same, and the arithmetic alone.\n",
            about,
            ":::{table} Medians of five rounds, all ways in turn in one process; a build once. "
            "Ratio: baseline / ours. Share: limit / ours.\n:name: tab-speed\n",
            *table(made["rows"]),
            ":::\n",
            *(f"- {row['part']}: {row['note']}" for row in made["rows"] if row["note"]),
            "\n## What bf16 does to the metrics\n",
            f":::{{table}} A short run of the digits MLP, paired by seed: mean ± std, n = {n}.",
            ":name: tab-bf16\n",
            *effect(made["bf16_effect"]),
            ":::\n",
        ]
    )


def table(rows: list[dict]) -> list[str]:
    """Lines of the table: measured, and which goals were met."""
    lines = [
        "| Part | Unit | Ours | Baseline | Limit | Ratio | Share | Goal |",
        "|---|---|---:|---:|---:|---:|---:|---|",
    ]
    for row in rows:
        numbers = [row.get(key) for key in ("ours", "baseline", "limit", "ratio", "share")]
        goals = ", ".join(f"{name} {goal:g}" for name, goal in row["goals"].items())
        goals += (": met" if row["met"] else ": **missed**") if goals else ""
        cells = [row["part"], row["unit"], *("–" if x is None else f"{x:.3g}" for x in numbers), goals]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def effect(rows: list[dict]) -> list[str]:
    """Lines of the table of float32 beside bf16."""
    lines = ["| Split | Metric | float32 | bf16 | bf16 − float32 |", "|---|---|---:|---:|---:|"]
    for row in rows:
        cells = (f"{row[key]:.4g} ± {row[f'{key}_std']:.2g}" for key in ("float32", "bf16", "difference"))
        lines.append(f"| {row['split']} | `{row['metric']}` | {' | '.join(cells)} |")
    return lines
