"""Times of several ways to do the same, and the row of the table that they make."""

import math
import statistics
import time
from collections.abc import Callable

import torch

ROUNDS = 5
A_TURN = 1.0
"""Seconds of a turn: a way that takes less is called as often as fits, at most ``MOST`` times."""
MOST = 1000


def interleaved(**ways: Callable[[], object]) -> dict[str, list[float]]:
    """Seconds that a call of each way takes, once a round, in turn.

    What else the machine does then meets all ways alike. The calls before the first round are not counted.
    """
    calls = {}
    for name, way in ways.items():
        once = math.inf
        for call in range(5):  # the first loads libraries, the fourth records a CUDA graph
            once = min(once, seconds(way))
            if call and once > A_TURN:
                break
        calls[name] = min(MOST, max(1, int(A_TURN / once)))
    times = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            times[name].append(seconds(way, calls[name]))
    return times


def seconds(way: Callable[[], object], calls: int = 1) -> float:
    """Mean seconds of so many calls."""
    wait()
    started = time.perf_counter()
    for _ in range(calls):
        way()
    wait()
    return (time.perf_counter() - started) / calls


def wait() -> None:
    """Until the GPU, if there is one, has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def row(part: str, unit: str, times: dict[str, list[float]], scale: float = 1.0, goals=None, note="") -> dict:
    """A row of the table.

    Parameters
    ----------
    part : what is measured
    unit : of ours, baseline and limit: seconds times ``scale``
    times : of ``ours``, ``baseline`` and, where there is one, ``limit``
    goals : lowest ``ratio`` of baseline to ours, lowest ``share`` of the limit that ours reaches, and what
        ours takes ``at most``, in the unit
    note : what a reader must know
    """
    median = {name: statistics.median(seconds) for name, seconds in times.items()}
    ours, baseline, limit = (median.get(name) for name in ("ours", "baseline", "limit"))
    return {
        "part": part,
        "unit": unit,
        **{name: seconds * scale for name, seconds in median.items()},
        "ratio": baseline / ours if baseline else None,
        "share": limit / ours if limit else None,
        "goals": goals or {},
        "note": note,
    }
