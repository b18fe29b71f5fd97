"""Accuracy of the network (Fig. 3 of the paper)."""

import torch.nn.functional as F
from torch import Tensor


def _correct(logits: Tensor, labels: Tensor) -> Tensor:
    if logits.ndim != 2 or labels.shape != logits.shape[:1] or 0 in logits.shape:
        raise ValueError(
            f"logits {tuple(logits.shape)}, labels {tuple(labels.shape)}: must be (N, C) and (N,), N >= 1"
        )
    return (logits.argmax(dim=1) == labels).double()


def accuracy(logits: Tensor, labels: Tensor) -> dict[str, float]:
    r"""Share of the points whose largest logit is that of their label (Fig. 3).

    .. math:: \frac{1}{N} \#\{i : \arg\max_c f_c(x_i) = \bar y_i\}

    Parameters
    ----------
    logits : Tensor of shape (N, C)
    labels : integer Tensor of shape (N,), in 0 .. C-1

    Returns
    -------
    dict with ``accuracy``, in 0 .. 1.

    Raises
    ------
    ValueError : if the shapes do not match or there is no point.
    """
    return {"accuracy": _correct(logits, labels).mean().item()}


def class_accuracy(logits: Tensor, labels: Tensor) -> Tensor:
    """Share of the points of each label that are predicted to have it.

    Parameters
    ----------
    logits, labels : as for `accuracy`

    Returns
    -------
    float64 Tensor of shape (C,), in 0 .. 1; NaN, not defined, for a label without a point.

    Raises
    ------
    ValueError : as for `accuracy`.
    """
    correct = _correct(logits, labels)
    member = F.one_hot(labels.long(), logits.shape[1]).double()
    return correct @ member / member.sum(dim=0)
