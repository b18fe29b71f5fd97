"""Names shown to a reader: the metrics, their axis labels, and which way is better."""

from typing import NamedTuple


class Metric(NamedTuple):
    """Title, unit or range, the better direction ('' where there is none), and whether values span decades."""

    title: str
    unit: str
    better: str
    log: bool = False


METRICS = {
    "loss": Metric("Loss (Eq. 1)", "nats", "lower"),
    "cross_entropy": Metric("Cross-entropy", "nats", "lower"),
    "loss_bin": Metric("Binary-encoding loss", ">= 1", ""),
    "accuracy": Metric("Accuracy", "share of points", "higher"),
    "log_likelihood": Metric("Log-likelihood", "nats per point", "higher"),
    "std": Metric("Standard deviation of a peak", "latent units", "lower", True),
    "peak_distance": Metric("Peak distance", "standard deviations", "higher"),
    "standardised_log_likelihood": Metric("Log-likelihood, standardised", "nats per point", "higher"),
    "gain": Metric("Gain over one Gaussian", "nats per point", "higher"),
    "dead_dimensions": Metric("Constant dimensions", "count", ""),
    "code_share": Metric("Points sharing their class's code", "share of points", "higher"),
    "bit_agreement": Metric("Agreement per bit", "share", "higher"),
    "codes_in_use": Metric("Distinct codes in use", "count", "lower", True),
    "codes_per_class": Metric("Distinct codes per class", "count", "lower", True),
    "distinct_codebook_rows": Metric("Distinct codebook rows", "count", "higher"),
    "hamming_mean": Metric("Mean Hamming distance of codebook rows", "bits", ""),
    "hamming_min": Metric("Least Hamming distance of codebook rows", "bits", "higher"),
    "codebook_accuracy": Metric("Accuracy of the nearest codebook row", "share of points", "higher"),
    "equinorm": Metric("Equinorm", "std / mean of norms", "lower", True),
    "equiangularity": Metric("Equiangularity", "std of cosines", "lower", True),
    "max_angle": Metric("Max angle", "mean |cos + 1/(C-1)|", "lower", True),
    "tr_sw_sb": Metric(r"$\mathrm{Tr}(S_W S_B^+)/C$", "dimensionless", "lower", True),
    "within_class_covariance": Metric("Within-class covariance", "latent units squared", "lower", True),
    "trace_sw": Metric(r"$\mathrm{Tr}(S_W)$", "latent units squared", "lower", True),
    "nc3": Metric("Self-duality (NC3)", "Frobenius distance", "lower", True),
    "nc4": Metric("Nearest class mean (NC4)", "share that agrees", "higher"),
}
