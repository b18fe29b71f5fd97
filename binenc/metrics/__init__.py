"""What the paper measures, one file a figure; every metric a pure function of tensors."""

from torch import Tensor

from binenc.metrics.accuracy import accuracy, class_accuracy
from binenc.metrics.binarity import binarity
from binenc.metrics.by_class import class_means
from binenc.metrics.encoding import class_code_share, codebook, encoding
from binenc.metrics.neural_collapse import neural_collapse

METRICS = {
    "log_likelihood": ("Average log-likelihood", "nats a value", "up"),
    "std": ("Standard deviation of a peak", "latent units, from 0", "down"),
    "peak_distance": ("Distance of the two peaks", "in units of their standard deviation", "up"),
    "standardised_log_likelihood": ("Average log-likelihood, standardised latents", "nats a value", "up"),
    "gain": ("Gain of two modes over one", "nats a value", "up"),
    "dead_dimensions": ("Dimensions that never vary", "count, or share, of d", "down"),
    "code_share": ("Points with their class's most common code", "share, 0 to 1", "up"),
    "bit_agreement": ("Agreement within a class per bit", "share, 0.5 to 1", "up"),
    "codes_in_use": ("Distinct codes in all", "count, from 1", "down"),
    "codes_per_class": ("Distinct codes in a class", "count, from 1", "down"),
    "distinct_codebook_rows": ("Classes told apart by their code", "count, 1 to C", "up"),
    "hamming_mean": ("Distance of two classes' codes, mean", "bits, 0 to d", "up"),
    "hamming_min": ("Distance of two classes' codes, least", "bits, 0 to d", "up"),
    "codebook_accuracy": ("Accuracy of the nearest code", "share, 0 to 1", "up"),
    "accuracy": ("Accuracy", "share, 0 to 1", "up"),
    "equinorm": ("Equinorm", "relative, from 0", "down"),
    "equiangularity": ("Equiangularity", "cosine, 0 to 1", "down"),
    "max_angle": ("Max angle", "cosine, from 0", "down"),
    "tr_sw_sb": ("Tr(Sw Sb$^+$)/C", "relative, from 0", "down"),
    "within_class_covariance": (
        "Within-class covariance, mean entry",
        "latent units squared",
        "down",
    ),
    "trace_sw": ("Within-class covariance, trace", "latent units squared", "down"),
    "nc3": ("Classifier against class means", "distance, 0 to 2", "down"),
    "nc4": ("Prediction is the nearest class mean", "share, 0 to 1", "up"),
}
"""Of each metric its title, its unit or range, and the direction that is better."""


def _classes(logits: Tensor, labels: Tensor, protocol) -> Tensor:
    """The class that a point counts to: its label, or what the network predicts."""
    return labels if protocol.class_of_point == "label" else logits.argmax(dim=1)


def measure(latents: Tensor, logits: Tensor, labels: Tensor, weight: Tensor, protocol) -> dict[str, float]:
    """All metrics of one evaluation, by the names of ``METRICS``.

    Parameters
    ----------
    latents : Tensor of shape (N, d)
    logits : Tensor of shape (N, C)
    labels : integer Tensor of shape (N,), in 0 .. C-1
    weight : Tensor of shape (C, d), of the linear classifier
    protocol : with ``class_of_point``, ``max_angle_pairs`` and ``between_class``, see `binenc.protocol`
    """
    n_classes = logits.shape[1]
    classes = _classes(logits, labels, protocol)
    pairs, between = protocol.max_angle_pairs, protocol.between_class
    return {
        **binarity(latents),
        **encoding(latents, classes, n_classes, labels),
        **accuracy(logits, labels),
        **neural_collapse(latents, classes, n_classes, weight, logits, pairs, between),
    }


def per_class(latents: Tensor, logits: Tensor, labels: Tensor, protocol) -> dict[str, Tensor]:
    """What a record keeps of each class; parameters as for `measure`.

    Returns
    -------
    dict with ``codebook`` bool (C, d), ``class_means`` (C, d), ``class_count``, ``class_code_share`` and
    ``class_accuracy`` (C,). Where a class has no point its count is 0, its code all False, its mean that of
    all points and its code share NaN; a label without a point has NaN accuracy.
    """
    n_classes = logits.shape[1]
    classes = _classes(logits, labels, protocol)
    means, _, count = class_means(latents, classes, n_classes)
    return {
        "codebook": codebook(latents, classes, n_classes),
        "class_means": means,
        "class_count": count,
        "class_code_share": class_code_share(latents, classes, n_classes),
        "class_accuracy": class_accuracy(logits, labels),
    }
