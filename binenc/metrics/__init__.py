"""What the paper measures, one file a figure; every metric a pure function of tensors."""

import torch
from torch import Tensor

from binenc.metrics.accuracy import accuracy, class_accuracy
from binenc.metrics.binarity import binarity
from binenc.metrics.by_class import class_means
from binenc.metrics.encoding import code_share, code_table, encoding
from binenc.metrics.neural_collapse import neural_collapse

__all__ = ["measure", "per_class"]


def _classes(logits: Tensor, labels: Tensor, protocol) -> Tensor:
    """The class that a point counts to: its label, or what the network predicts."""
    return labels if protocol.class_of_point == "label" else logits.argmax(dim=1)


@torch.no_grad()
def measure(logits: Tensor, latents: Tensor, labels: Tensor, weight: Tensor, protocol) -> dict[str, float]:
    """All metrics of one evaluation, by the names of `binenc.text.words.METRICS`.

    Parameters
    ----------
    logits : Tensor of shape (N, C)
    latents : Tensor of shape (N, d)
    labels : integer Tensor of shape (N,), in 0 .. C-1
    weight : Tensor of shape (C, d), of the linear classifier
    protocol : with ``class_of_point``, ``max_angle_pairs`` and ``between_class``, see `binenc.protocol`

    Raises
    ------
    ValueError : if a metric refuses the shapes or the latents are not finite.
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


@torch.no_grad()
def per_class(logits: Tensor, latents: Tensor, labels: Tensor, protocol) -> dict[str, Tensor]:
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
    table, book = code_table(latents, classes, n_classes)
    return {
        "codebook": book,
        "class_means": means,
        "class_count": count,
        "class_code_share": code_share(table),
        "class_accuracy": class_accuracy(logits, labels),
    }
