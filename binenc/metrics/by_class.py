"""Class by class: how many points there are, and their mean."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCK = {"cpu": 2**18, "cuda": 2**25}
"""Numbers in a block of rows: what fits a CPU's cache, or fills a GPU."""


def blocks(latents: Tensor) -> Iterator[slice]:
    """Consecutive slices of rows, small enough that a float64 copy of one costs no memory to speak of."""
    n, d = latents.shape
    rows = max(1, BLOCK.get(latents.device.type, 2**18) // max(1, d))
    return (slice(i, i + rows) for i in range(0, n, rows))


def check_points(latents: Tensor, classes: Tensor, n_classes: int) -> None:
    """Refuse what is not n >= 1 points of d >= 1 latents, each with a class in 0 .. C-1.

    Raises
    ------
    ValueError : saying what the shapes or the classes are.
    """
    if latents.ndim != 2 or 0 in latents.shape:
        raise ValueError(f"latents of shape {tuple(latents.shape)}: must be (N, d), neither of them 0")
    masks = torch.uint8, torch.bool  # as which an index of that type is taken
    if classes.shape != latents.shape[:1] or classes.is_floating_point() or classes.dtype in masks:
        raise ValueError(
            f"classes: must be {len(latents)} signed integers, not {tuple(classes.shape)} {classes.dtype}"
        )
    low, high = torch.stack(torch.aminmax(classes)).tolist()
    if low < 0 or high >= n_classes:
        raise ValueError(f"classes {low} .. {high}: must lie in 0 .. {n_classes - 1}")


def class_means(latents: Tensor, classes: Tensor, n_classes: int) -> tuple[Tensor, Tensor, Tensor]:
    r"""Class means :math:`\mu_c = Ave_{i \in c} x_i` and the global mean :math:`\mu_G = Ave_i x_i`.

    Parameters
    ----------
    latents : Tensor of shape (N, d)
    classes : integer Tensor of shape (N,), in 0 .. C-1
    n_classes : C

    Returns
    -------
    means : float64 Tensor of shape (C, d), the row of a class without a point is :math:`\mu_G`
    global_mean : float64 Tensor of shape (d,), the mean over all points (not over the classes)
    count : integer Tensor of shape (C,)

    Raises
    ------
    ValueError : on bad shapes or classes, and if a latent is infinite or NaN.
    """
    check_points(latents, classes, n_classes)
    # Sums of differences from the first point: equal points have exactly equal means, and an offset that all
    # points share costs no digits.
    origin = latents[0].double()
    member = F.one_hot(classes.long(), n_classes).double()
    sums = origin.new_zeros(n_classes, latents.shape[1])
    for rows in blocks(latents):
        sums += member[rows].T @ (latents[rows] - origin)
    if not torch.isfinite(sums).all():
        raise ValueError("latents: some are infinite or NaN, training has diverged")
    count = member.sum(dim=0)
    centre = sums.sum(dim=0) / len(latents)
    means = torch.where(count[:, None] > 0, sums / count.clamp(min=1)[:, None], centre)
    return means + origin, centre + origin, count.long()
