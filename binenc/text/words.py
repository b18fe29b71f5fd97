"""Words shown to a reader: the metrics, their axis labels, which way is better; numbers and durations."""

import math
from collections.abc import Callable, Container, Iterable, Sequence
from typing import NamedTuple

DECIMALS = 9
"""Of a difference; what is beyond is rounding, by which no tie and no side is decided."""


class Metric(NamedTuple):
    """Title, unit or range, the better direction ('' where there is none), a label for a small axis, and
    whether values can span decades.
    """

    title: str
    unit: str
    better: str
    short: str
    log: bool = False


METRICS = {
    "loss": Metric("Loss (Eq. 1)", "nats", "lower", "Loss", True),
    "cross_entropy": Metric("Cross-entropy", "nats", "lower", "Cross-entropy", True),
    "loss_bin": Metric("Binary-encoding loss", "1 or more", "", r"$L_{bin}$", True),
    "accuracy": Metric("Accuracy", "share of points", "higher", "Accuracy"),
    "log_likelihood": Metric("Log-likelihood of two peaks", "nats per value", "higher", "Log-likelihood"),
    "std": Metric("Std of a peak", "latent units", "lower", "Peak std", True),
    "peak_distance": Metric("Distance of the two peaks", "peak std", "", "Peak distance", True),
    "standardised_log_likelihood": Metric(
        "Log-likelihood, latents standardised", "nats per value", "higher", "Standardised"
    ),
    "gain": Metric("Gain of two peaks over one", "nats per value", "higher", "Gain over one"),
    "dead_dimensions": Metric("Dimensions that never vary", "count", "", "Constant"),
    "code_share": Metric("Whole-code share", "share of points", "higher", "Whole code"),
    "bit_agreement": Metric("Agreement per bit", "share of points", "higher", "Per bit"),
    "codes_in_use": Metric("Distinct codes in use", "count", "lower", "Codes in all", True),
    "codes_per_class": Metric("Distinct codes in a class", "count", "lower", "Codes a class", True),
    "distinct_codebook_rows": Metric("Distinct codebook rows", "count", "higher", "Codebook rows"),
    "hamming_mean": Metric("Mean distance of two classes' codes", "bits", "", "Mean distance"),
    "hamming_min": Metric("Minimum distance of two classes' codes", "bits", "higher", "Min. distance"),
    "codebook_accuracy": Metric("Accuracy of the nearest code", "share of points", "higher", "Nearest code"),
    "equinorm": Metric("Equinorm", "std / mean", "lower", "Equinorm", True),
    "equiangularity": Metric("Equiangularity", "std of cosines", "lower", "Equiangularity", True),
    "max_angle": Metric("Max angle", "|cos + 1/(C-1)|", "lower", "Max angle", True),
    "tr_sw_sb": Metric("Tr(Sw Sb⁺)/C", "no unit", "lower", r"$\mathrm{Tr}(S_W S_B^+)/C$", True),
    "within_class_covariance": Metric(
        "Within-class covariance, mean entry", "latent units²", "lower", r"Mean of $S_W$", True
    ),
    "trace_sw": Metric(
        "Within-class covariance, trace", "latent units²", "lower", r"$\mathrm{Tr}(S_W)$", True
    ),
    "nc3": Metric("Self-duality (NC3)", "Frobenius distance", "lower", "NC3", True),
    "nc4": Metric("Nearest class mean (NC4)", "share that agrees", "higher", "NC4"),
}

SHARES = {name for name, metric in METRICS.items() if metric.unit.startswith("share")}
"""Those that end at one."""


def duration(seconds: float) -> str:
    """In the unit that a reader would choose."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence], right: Container[str] = ()) -> str:
    """A table in Markdown; columns with a head that is in ``right`` are flush right."""
    rule = ["---:" if name in right else "---" for name in head]
    cells = ([str(cell).replace("|", "\\|") for cell in row] for row in (head, rule, *rows))
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def as_sentence(text: str) -> str:
    """With a capital at the start, and all else as it is: names may have capitals."""
    return text[:1].upper() + text[1:]


def counted(n: int, noun: str) -> str:
    """``1 run``, ``2 runs``."""
    return f"{n} {noun}{'s' * (n != 1)}"


def in_seeds(n: int, of: int) -> str:
    """``in 1 of 3 seeds``; n is at least 1."""
    return f"in {n} of {of} seeds" if of > 1 else "in its only seed"


def number(value: float, digits: int = 3) -> str:
    """A few significant digits, with a true minus sign; powers of ten where there would be many zeros."""
    if not math.isfinite(value):
        return "not defined" if math.isnan(value) else "too large"
    if value == int(value) and abs(value) < 1e5:
        text = f"{int(value)}"
    elif 1e-3 <= abs(value) < 1e5:
        rounded = float(f"{value:.{digits - 1}e}")  # 0.0999… has the digits of 0.1
        text = _short_of_one(value, max(0, digits - 1 - _magnitude(rounded)))
    else:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "−")


def share(value: float) -> str:
    """A share of points with four decimals, or as many as tell it from 1."""
    return _short_of_one(value, 4).replace("-", "−")


def from_to(values: Sequence[float], write: Callable[[float], str]) -> str:
    """The least and the greatest, or the one where both are written alike."""
    return " to ".join(dict.fromkeys(write(x) for x in (min(values), max(values))))


def n_seeds(n: Sequence[int]) -> str:
    """How many seeds, of some that may differ in it."""
    return from_to(n, "{:.0f}".format)


def percentage_points(value: float, small: bool | None = None) -> str:
    """With a sign; in thousandths where it is small, by itself below 1: one of 60 000 points is 0.0017."""
    decimals = 3 if (abs(value) < 1 if small is None else small) else 2
    return f"{round(value, decimals) + 0.0:+.{decimals}f}".replace("-", "−")


def plus_minus(mean: float, std: float, n: int) -> str:
    """``mean ± std``, to two digits of the standard deviation; the mean alone if n is 1."""
    if n < 2 or not (math.isfinite(mean) and math.isfinite(std)):
        return number(mean, 4)
    if std == 0:
        return f"{number(mean, 4)} ± 0"
    if mean != 0 and not 1e-3 <= abs(mean) < 1e5:
        return f"{number(mean, max(1, _magnitude(mean) - _magnitude(std) + 2))} ± {number(std, 2)}"
    decimals = max(0, 1 - _magnitude(std))
    spread = f"{std:.{decimals}f}" if decimals < 6 else number(std, 2)
    return f"{mean:.{decimals}f} ± {spread}".replace("-", "−")


def _short_of_one(value: float, decimals: int) -> str:
    """With so many decimals, or more if below 1 it would look like 1."""
    while value < 1 == float(f"{value:.{decimals}f}"):
        decimals += 1
    return f"{value:.{decimals}f}"


def _magnitude(value: float) -> int:
    return math.floor(math.log10(abs(value)))
