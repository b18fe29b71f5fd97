"""Studies whose verdicts are known: a world in which every claim holds, and how to refute each."""

import math

import pandas as pd

from binenc.claims import judging, paper
from binenc.claims.paper import BINARY, LINEAR, NONE, NONLINEAR
from binenc.claims.verdict import Verdict

ARCHITECTURES = [BINARY, LINEAR, NONLINEAR, NONE]
COLUMNS = ["profile", "experiment", "protocol", "architecture", "seed", "epoch", "split", "metric", "value"]
EPOCHS = (0, 5, 10)
RISING, FALLING, FLAT = (1.0, 2.0, 3.0), (3.0, 2.0, 1.0), (1.0, 1.0, 1.0)
ETF = list(paper.ETF)


def paper_world() -> dict[tuple[str, str], tuple]:
    """Curves by metric and architecture in a world in which every claim holds."""
    world = {}
    for a in ARCHITECTURES:
        binary = a == BINARY
        world["log_likelihood", a] = RISING if binary else FALLING
        world["std", a] = FALLING if binary else RISING
        for metric in ("standardised_log_likelihood", "gain"):
            world[metric, a] = RISING if binary else FALLING
        world["code_share", a] = (0.1, 0.5, 0.999) if binary else (0.0, 0.05, 0.1)
        world["bit_agreement", a] = (0.8, 0.9, 0.999) if binary else (0.8, 0.85, 0.9)
        world["accuracy", a] = (0.5, 0.9, 0.98) if binary else (0.5, 0.9, 0.96)
        for metric in ETF:
            world[metric, a] = (1.0, 0.1, 0.01) if binary else (1.0, 0.7, 0.5)
        world["within_class_covariance", a] = world["trace_sw", a] = FALLING if binary else RISING
        world["n_parameters", a] = (90.0,) if a == NONE else (100.0,)
    return world


def table(world: dict, seeds: int = 3, noise: float = 1e-6, protocol: str = "as_written") -> pd.DataFrame:
    """A study's table of that world, values scatter over seeds, more in later architectures and epochs."""
    rows = []
    plain = {key: curve for key, curve in world.items() if len(key) == 2}
    for (metric, architecture), curve in plain.items():
        for seed in range(seeds):
            for split in ("train", "test"):
                own = world.get((metric, architecture, split), curve)
                for i, (epoch, value) in enumerate(zip(EPOCHS, own, strict=False)):
                    reach = (seed - (seeds - 1) / 2) * (1 + i) * (1 + ARCHITECTURES.index(architecture))
                    factor = 1 if metric == "n_parameters" else math.exp(noise * reach)
                    key = ("quick", "digits_mlp", protocol, architecture, seed, epoch, split, metric)
                    rows.append((*key, value * factor))
    return pd.DataFrame(rows, columns=COLUMNS)


def judge(number: int, t: pd.DataFrame) -> Verdict:
    (v,) = judging.judge_table(t, which=[paper.CLAIMS[number - 1]])
    return v


def verdict_of(number: int, changes: dict | None = None, **how) -> str:
    return judge(number, table(paper_world() | (changes or {}), **how)).verdict


REFUTED = {
    1: {("std", BINARY): RISING},
    2: {("log_likelihood", LINEAR): RISING, ("std", LINEAR): FALLING},
    3: {("code_share", BINARY): (0.1, 0.94, 0.95)},
    4: {("code_share", NONE): (0.1, 0.5, 0.995)},
    5: {("accuracy", NONLINEAR): (0.5, 0.9, 0.985)},
    6: {("accuracy", LINEAR): (0.5, 0.9, 0.985)},
    7: {("accuracy", NONE): (0.5, 0.9, 0.97)},
    8: {("max_angle", BINARY): (1.0, 0.9, 0.8)},
    9: {("within_class_covariance", BINARY): RISING},
    10: {("n_parameters", NONLINEAR): (101.0,)},
}
