"""Eq. 1 of the paper: cross-entropy plus the binary-encoding loss."""

import torch
import torch.nn.functional as F
from torch import Tensor

READINGS = {
    "exp_of_mean": lambda x: x.square().mean().exp(),
    "mean_of_exp": lambda x: x.square().exp().mean(),
    "exp_of_norm": lambda x: x.square().sum(dim=1).exp().mean(),
    "mean_square": lambda x: 1 + x.square().mean(),
}
"""How the loss of latents x, of shape (n, d), becomes one number for a batch."""


def binary_loss(latents: Tensor, reading: str = "exp_of_mean") -> Tensor:
    r"""Binary-encoding loss :math:`L_{bin}(x) = e^{x^2}` of a batch (Section 2).

    The paper does not say how the exponential is reduced over n points and d dimensions. The readings are
    ``exp_of_mean``  :math:`\exp(\frac{1}{nd}\sum_{ik} x_{ik}^2)` (the released code),
    ``mean_of_exp``  :math:`\frac{1}{nd}\sum_{ik} \exp(x_{ik}^2)`, and
    ``exp_of_norm``  :math:`\frac{1}{n}\sum_i \exp(\sum_k x_{ik}^2)`; beside them stands, as a control,
    ``mean_square``  :math:`1 + \frac{1}{nd}\sum_{ik} x_{ik}^2`, what the first two are for small latents.

    Parameters
    ----------
    latents : Tensor of shape (n, d)
    reading : one of ``READINGS``

    Returns
    -------
    Tensor, a scalar of at least 1.

    Raises
    ------
    ValueError : if there is no such reading.
    """
    if reading not in READINGS:
        raise ValueError(f"reading {reading!r}: allowed are {', '.join(READINGS)}")
    return READINGS[reading](latents)


def cross_entropy(logits: Tensor, labels: Tensor, softmax_twice: bool = False) -> Tensor:
    r"""Mean cross-entropy :math:`L_{CE}(f(x), y)` of a batch (Section 2).

    Parameters
    ----------
    logits : Tensor of shape (n, C)
    labels : integer Tensor of shape (n,), in 0 .. C-1
    softmax_twice : apply a softmax first, as the released code does: the loss is then at least
        :math:`\log(e + C - 1) - 1` however good the prediction is.

    Returns
    -------
    Tensor, a non-negative scalar.
    """
    return F.cross_entropy(torch.softmax(logits, dim=1) if softmax_twice else logits, labels)


def total_loss(logits: Tensor, latents: Tensor, labels: Tensor, gamma: float, protocol) -> Tensor:
    r"""Eq. 1, :math:`L = L_{CE} + \gamma L_{bin}`; with gamma = 0 the cross-entropy alone.

    Parameters
    ----------
    logits : Tensor of shape (n, C)
    latents : Tensor of shape (n, d)
    labels : integer Tensor of shape (n,), in 0 .. C-1
    gamma : weight of the binary loss, at least 0
    protocol : with ``softmax_twice`` and ``loss_bin``, see `binenc.protocol`

    Returns
    -------
    Tensor, a scalar.
    """
    loss = cross_entropy(logits, labels, protocol.softmax_twice)
    return loss + gamma * binary_loss(latents, protocol.loss_bin) if gamma else loss
