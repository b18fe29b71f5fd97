"""Neural collapse (Fig. 4 of the paper), after Papyan, Han and Donoho, PNAS 117, 24652 (2020)."""

import torch
import torch.nn.functional as F
from torch import Tensor

from binenc.metrics.by_class import blocks, class_means

RESOLUTION = 1e-6
"""Lengths below this share of the largest one are zero: float32 latents resolve no less."""


def neural_collapse(
    latents: Tensor,
    classes: Tensor,
    n_classes: int,
    weight: Tensor,
    logits: Tensor,
    max_angle_pairs: str = "distinct",
    between_class: str = "papyan",
) -> dict[str, float]:
    r"""Distance of the class means from a simplex, and of the points from their class means (Fig. 4).

    With :math:`\mu_c` the mean of class c, :math:`\mu_G` that of all points, :math:`m_c = \mu_c - \mu_G`,

    - ``equinorm`` :math:`Std_c |m_c| \,/\, Ave_c |m_c|` (NC2)
    - ``equiangularity`` :math:`Std_{c<c'} \cos(m_c, m_{c'})` (NC2)
    - ``max_angle`` :math:`Ave_{c<c'} |\cos(m_c, m_{c'}) + 1/(C-1)|` (NC2); ``with_self``: over
      :math:`c \le c'`, which takes a perfect simplex from 0 to :math:`2C/(C^2-1)`, 0.202 for C = 10
    - ``tr_sw_sb`` :math:`Tr(S_W S_B^+)/C` (NC1)
    - ``within_class_covariance`` mean of the :math:`d^2` entries of :math:`S_W`; ``trace_sw`` its trace
    - ``nc3`` :math:`\|W/\|W\|_F - M/\|M\|_F\|_F`, rows :math:`m_c` in M, 0 .. 2, W as it is (NC3)
    - ``nc4`` share of points whose nearest class mean is the class that the network predicts, 0 .. 1 (NC4)

    :math:`S_W = Ave_c Ave_{i \in c} (x_i - \mu_c)(x_i - \mu_c)^T`, each class with the same weight.
    :math:`S_B = Ave_c m_c m_c^T` (``papyan``), or the sample covariance of the class means, centred on their
    own mean and divided by C-1 (``sample``). :math:`S_B^+` leaves out directions in which the class means'
    singular value is below ``RESOLUTION`` times the largest. Std divides by the number of values.

    A class without a point is left out of the means over classes. A class mean at :math:`\mu_G` (closer than
    ``RESOLUTION`` times the points' rms distance) has cosine 0 to every other. NaN stands for 'not defined':
    the first four and ``nc3`` if a class has no point, as there are not C means to form a simplex, or if all
    class means coincide; ``equiangularity`` with fewer than two pairs; ``nc3`` if W = 0.

    Parameters
    ----------
    latents : Tensor of shape (N, d)
    classes : integer Tensor of shape (N,), the class each point counts to, in 0 .. C-1
    n_classes : C, at least 2
    weight : Tensor of shape (C, d), of the linear classifier
    logits : Tensor of shape (N, C), the network's output
    max_angle_pairs : ``distinct`` or ``with_self``
    between_class : ``papyan`` or ``sample``

    Returns
    -------
    dict of the eight floats above, at least 0 where no range is given.

    Raises
    ------
    ValueError : on bad shapes, classes or choices, and if a latent is infinite or NaN.
    """
    if max_angle_pairs not in ("distinct", "with_self"):
        raise ValueError(f"max_angle_pairs {max_angle_pairs!r}: allowed are distinct, with_self")
    if between_class not in ("papyan", "sample"):
        raise ValueError(f"between_class {between_class!r}: allowed are papyan, sample")
    n, d = latents.shape
    if n_classes < 2 or weight.shape != (n_classes, d) or logits.shape != (n, n_classes):
        raise ValueError(
            f"{n_classes} classes, latents {n, d}, weight {tuple(weight.shape)}, "
            f"logits {tuple(logits.shape)}: must be C >= 2, (N, d), (C, d), (N, C)"
        )
    mu, mu_g, count = class_means(latents, classes, n_classes)
    classes = classes.long()  # of small integers there are no indices
    filled = count > 0
    centred = (mu - mu_g)[filled]
    n_filled = len(centred)
    spread = centred - centred.mean(dim=0) if between_class == "sample" else centred
    _, singular, directions = torch.linalg.svd(spread, full_matrices=False)

    # One pass over the points: residuals from the class mean, and their products with the class means, with
    # the directions in which those differ, and with (1, .., 1).
    m = mu - mu_g
    onto = torch.cat([m, directions, m.new_ones(1, d)]).T
    gram = m @ m.T
    bias = torch.where(filled, -gram.diagonal() / 2, -torch.inf)
    per_point = m.new_empty(n, 2 + len(directions))
    nearest = torch.empty_like(classes)
    for rows in blocks(latents):
        own = classes[rows]
        residual = latents[rows] - mu[own]
        product = residual @ onto
        # |x - mu_c|^2 / 2 = const - (x - mu_G) m_c + |m_c|^2 / 2
        nearest[rows] = (product[:, :n_classes] + gram[own] + bias).argmax(dim=1)
        per_point[rows, 0] = torch.linalg.vecdot(residual, residual)
        per_point[rows, 1:] = product[:, n_classes:].square()
    member = F.one_hot(classes, n_classes).double()
    within = ((member.T @ per_point)[filled] / count[filled, None]).mean(dim=0)
    trace, variance, total = within[0], within[1:-1], within[-1]

    length = centred.norm(dim=1)
    rms = (trace + length.square().mean()).sqrt()
    apart = length > RESOLUTION * rms
    length = torch.where(apart, length, 0.0)
    unit = torch.where(apart[:, None], centred, 0.0) / torch.where(apart, length, 1.0)[:, None]
    i, j = torch.triu_indices(n_filled, n_filled, offset=1, device=m.device)
    cosine = (unit @ unit.T)[i, j]
    from_simplex = (cosine + 1 / (n_classes - 1)).abs().sum()
    n_pairs = len(cosine)
    if max_angle_pairs == "with_self":
        from_simplex = from_simplex + n_filled * (1 + 1 / (n_classes - 1))
        n_pairs = n_pairs + n_filled

    degrees = n_filled if between_class == "papyan" else n_filled - 1
    kept = singular > RESOLUTION * singular.max()
    ratio = (torch.where(kept, variance * degrees / singular.square(), 0.0)).sum() / n_filled
    w = weight.double()[filled]
    nc3 = (w / w.norm() - centred / centred.norm()).norm()

    undefined = m.new_tensor(torch.nan)
    defined = apart.any() & (n_filled == n_classes)
    values = {
        "equinorm": torch.where(defined, length.std(correction=0) / length.mean(), undefined),
        "equiangularity": torch.where(defined, cosine.std(correction=0), undefined)
        if len(cosine) > 1
        else undefined,
        "max_angle": torch.where(defined, from_simplex / n_pairs, undefined) if n_pairs else undefined,
        "tr_sw_sb": torch.where(defined, ratio, undefined),
        "within_class_covariance": total / d**2,
        "trace_sw": trace,
        "nc3": torch.where(defined, nc3, undefined),
        "nc4": (nearest == logits.argmax(dim=1)).double().mean(),
    }
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))
