"""The page of the benchmark: what `make bench` measured here, and what is recorded with the repository."""

import json
from pathlib import Path

from binenc.profile import ROOT
from binenc.provenance import version
from binenc.text.words import METRICS, markdown_table, number, plus_minus

RECORDED = ROOT / "bench/recorded.json"
PARTS = {
    "cpu": "On a CPU",
    "gpu": "On a GPU",
    "build": "From `make book` to the report",
    "bf16": "What bf16 does to the metrics",
}
WHILE_TRAINING = {"epoch_loss": "Loss, in training", "epoch_accuracy": "Accuracy, in training"}

MARK = {True: "\N{NO-BREAK SPACE}✓", False: "\N{NO-BREAK SPACE}✗"}

COLUMNS = (
    "Ratio: baseline / ours. Share: limit / ours. The limit is the products of matrices, or the "
    "convolutions, timed by themselves: some run faster in the network, so a share can exceed 1."
)


def page(build: Path) -> str:
    """The page as Markdown: each part as it was measured on this machine, and on those that are recorded."""
    here, recorded = read(build / "bench.json"), read(RECORDED)
    lines = [
        "# Speed\n",
        "How long a user waits: ours, a baseline, and the arithmetic alone (the limit). The baseline is a "
        "DataLoader that reads images one by one with torch's default Adam, and for metrics scikit-learn's "
        "mixtures with loops in numpy. `make bench` measures all: medians of five rounds, all ways in turn "
        "in one process; a build once.\n",
    ]
    lacking = []
    for name, title in PARTS.items():
        found = [(here[name], "on the machine of this report")] if name in here else []
        others = [made for made in recorded.get(name, []) if made != here.get(name)]
        found += [(made, "once, and recorded with the repository") for made in others]
        if not found:
            lacking.append(f"`make bench PART={name}`")
            continue
        lines.append(f"## {title}\n")
        if name != "bf16" and len(found) > 1:
            lines += side_by_side(name, [made for made, _ in found])
        for nth, (made, where) in enumerate(found, start=1):
            lines += part(f"{name}-{nth}", made, where)
    if lacking:
        lines.append(f"Not measured yet: {', '.join(lacking)}.\n")
    return "\n".join(lines)


def read(path: Path) -> dict:
    return json.loads(path.read_text()) if path.exists() else {}


def side_by_side(name: str, found: list[dict]) -> list[str]:
    """Lines on a part that several machines have measured: what each of them reached of every goal."""
    machines = [{(row["part"], g): rest for row in m["rows"] for g, *rest in reached(row)} for m in found]
    cells = []
    for key in dict.fromkeys(key for machine in machines for key in machine):
        values = [machine.get(key) for machine in machines]
        cells.append([*key, *(f"{v[0]}{MARK[v[1]]}" if v else "–" for v in values)])
    numbers = [str(nth) for nth, _ in enumerate(found, start=1)]
    named = "; ".join(f"{n}: {machine_of(made)}" for n, made in zip(numbers, found, strict=True))
    caption = f"What was reached of each goal, a column a machine, in the order of the tables below. {named}."
    table = markdown_table(["Part", "Goal", *numbers], cells, right=numbers)
    return [f":::{{table}} {caption}\n:name: tab-speed-{name}\n", table, ":::\n"]


def machine_of(made: dict) -> str:
    hardware = made["hardware"]
    return f"{hardware['cpu']}, {hardware['vector_instructions']}"


def part(name: str, made: dict, where: str) -> list[str]:
    """Lines of one part: how it was measured, its table, and what a reader must know of its rows."""
    hardware = made["hardware"]
    about = (
        f"Measured {where}: {machine_of(made)}, {hardware['cores']} cores, "
        f"GPU: {hardware['gpu'] or 'none'}; load average before {made['load_before']:.1f}; "
        f"torch {made['versions']['torch']}; {made['date'][:10]}, commit "
        f"{version(made['commit'], made['dirty'])}.\n"
    )
    if name.startswith("bf16"):
        first = made["rows"][0]
        caption = (
            f"The digits MLP with binary encoding, {first['epochs']} epochs, paired by seed: mean ± std, "
            f"n = {first['seeds']}. {beyond(made['rows'])}"
        )
        lines = effect(made["rows"])
    else:
        compared = any(row.get("baseline") for row in made["rows"])
        caption = (
            COLUMNS if compared else "Seconds until the report is there again after a change: one build each."
        )
        lines = table(made["rows"])
    notes = [f"- {row['part']}: {row['note']}" for row in made["rows"] if row.get("note")]
    return [about, f":::{{table}} {caption}\n:name: tab-speed-{name}\n", lines, ":::\n", *notes, ""]


def table(rows: list[dict]) -> str:
    """What was measured, and which goals were met; columns that no row fills are left out."""
    columns = [
        key
        for key in ("ours", "baseline", "limit", "ratio", "share")
        if any(row.get(key) is not None for row in rows)
    ]
    numbers = [key.capitalize() for key in columns]
    cells = []
    for row in rows:
        goals = ", ".join(goals_of(row)).replace("missed", "**missed**")
        values = ("–" if row.get(key) is None else shown(row, key) for key in columns)
        cells.append([row["part"], row["unit"], *values, goals])
    return markdown_table(["Part", "Unit", *numbers, "Goal"], cells, right=numbers)


def goals_of(row: dict) -> list[str]:
    """Each goal of a row, and whether it was met."""
    return [f"{goal}: {'met' if met else 'missed'}" for goal, _, met in reached(row)]


def reached(row: dict) -> list[tuple[str, str, bool]]:
    """Each goal of a row, what was reached of it, and whether that is enough."""
    found = []
    for name, goal in row["goals"].items():
        if name == "at most":
            found.append((f"{name} {goal:.3g} {row['unit']}", shown(row, "ours"), row["ours"] <= goal))
        else:
            found.append((f"{name} {goal:g}", shown(row, name), row[name] >= goal))
    return found


def shown(row: dict, key: str) -> str:
    """A number of a row, with as many digits as tell it from its goal."""
    value, goal = row[key], row["goals"].get("at most" if key == "ours" else key)
    digits = 3
    while goal is not None and value != goal == float(f"{value:.{digits - 1}e}"):
        digits += 1
    return number(value, digits)


def beyond(rows: list[dict]) -> str:
    """Which differences of bf16 are more than their seeds explain, each by itself."""
    found = [
        f"{title_of(row['metric'])} ({row['split']})"
        for row in rows
        if not row["difference_low"] <= 0 <= row["difference_high"]
    ]
    which = f", {', '.join(found)}" if found else ""
    return (
        f"Differences whose 95 % interval, each by itself, leaves out 0: {len(found)} of {len(rows)}{which}."
    )


def title_of(metric: str) -> str:
    return METRICS[metric].title if metric in METRICS else WHILE_TRAINING[metric]


def effect(rows: list[dict]) -> str:
    """The metrics in float32 beside those in bf16."""
    numbers = {"float32": "float32", "bf16": "bf16", "bf16 − float32": "difference"}
    cells = (
        [
            row["split"],
            title_of(row["metric"]),
            *(plus_minus(row[key], row[f"{key}_std"], row["seeds"]) for key in numbers.values()),
        ]
        for row in rows
    )
    return markdown_table(["Split", "Metric", *numbers], cells, right=numbers)
