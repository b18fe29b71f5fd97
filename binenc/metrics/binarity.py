r"""Binarity of the latents (Section 3, Fig. 1): a two-peaked Gaussian mixture on every dimension.

On each of the d dimensions, over all N points, the density

.. math:: p(x) = w_1\,\mathcal N(x; m_1, v_1) + w_2\,\mathcal N(x; m_2, v_2)

is fitted by expectation-maximisation (EM) with the variance floor of scikit-learn's ``GaussianMixture`` and a
stopping rule like its own, at half the tolerance (`binenc.metrics.em`).
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from binenc.metrics.em import FLOOR, best_fits

BLOCK = {"cpu": 2**23, "cuda": 2**24}
"""Points of as many dimensions as are taken at once."""

GAUSSIAN = -0.5 * math.log(2 * math.pi * math.e)
"""Mean log-likelihood of one Gaussian of unit variance."""


@dataclass(frozen=True)
class Mixtures:
    """The mixtures of d dimensions: tensors on the device of the latents, float64 unless said.

    ``weights``, ``means``, ``stds`` : shape (d, 2), the lower mean first.
    ``log_likelihood`` : shape (d,), mean over all N points under exactly these parameters.
    ``standardised_log_likelihood`` : shape (d,), of another fit: to the dimension scaled to unit variance,
    with the floor on that scale. It does not depend on the unit of the latents.
    ``constant`` : bool, shape (d,). These have no scale; their standardised score is that of one Gaussian.
    """

    weights: Tensor
    means: Tensor
    stds: Tensor
    log_likelihood: Tensor
    standardised_log_likelihood: Tensor
    constant: Tensor


def binarity(latents: Tensor) -> dict[str, float]:
    r"""How well two peaks describe each dimension of the latents: the averages of Fig. 1 over dimensions.

    Parameters
    ----------
    latents : Tensor of shape (N, d), finite, N and d at least 1; any dtype, CPU or GPU

    Returns
    -------
    dict of float, never NaN:

    ``log_likelihood`` : mean over points of :math:`\log p(x)`, the paper's score. Unbounded above as peaks
        sharpen, up to about 6 where the floor holds; halving the latents alone raises it by log 2.
    ``std`` : :math:`(\sqrt{v_1} + \sqrt{v_2}) / 2`, at least 0.001, the root of the floor.
    ``peak_distance`` : :math:`|m_1 - m_2|` over that ``std``, at least 0.
    ``standardised_log_likelihood`` : the score of a fit to :math:`x / \mathrm{std}(x)`. The floor applies on
        that scale, or the score would still depend on the unit of the latents.
    ``gain`` : the same less that of one Gaussian, :math:`-\frac12 \log 2 \pi e`; 0 where one peak is enough.
    ``dead_dimensions`` : number of constant dimensions. They count in the first two averages (as one peak
        with the floor for its variance) and are left out of the three scale-free ones; where all dimensions
        are constant, gain and peak distance are 0 and the standardised score is that of one Gaussian.
    """
    m = fit(latents)
    std = m.stds.mean(1)
    distance = torch.where(m.constant, 0.0, (m.means[:, 1] - m.means[:, 0]) / std)
    gain = torch.where(m.constant, 0.0, m.standardised_log_likelihood - GAUSSIAN)
    dead = m.constant.sum()
    living = (len(std) - dead).clamp_min(1)
    values = (m.log_likelihood.mean(), std.mean(), distance.sum() / living, gain.sum() / living, dead)
    log_likelihood, std, distance, gain, dead = torch.stack([v.double() for v in values]).tolist()
    return {
        "log_likelihood": log_likelihood,
        "std": std,
        "peak_distance": distance,
        "standardised_log_likelihood": gain + GAUSSIAN,
        "gain": gain,
        "dead_dimensions": dead,
    }


@torch.no_grad()
def fit(latents: Tensor) -> Mixtures:
    """The mixture of largest likelihood that EM finds on each dimension of latents (N, d), over all N points.

    Dimensions are taken a few at a time, so that the memory in use beside the latents stays near 250 MB
    for any d at N = 60000, on a GPU below a few GB. The same latents give the same mixtures.

    Raises
    ------
    ValueError : if latents have another shape or no point or dimension, or are not finite.
    """
    if latents.ndim != 2 or 0 in latents.shape:
        raise ValueError(
            f"latents must have a shape (N, d) with N and d at least 1, not {tuple(latents.shape)}"
        )
    block = max(1, BLOCK[latents.device.type] // max(len(latents), 2**14))
    parts = [fit_block(part) for part in latents.split(block, dim=1)]
    return Mixtures(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def fit_block(latents: Tensor) -> tuple[Tensor, ...]:
    """The fields of :class:`Mixtures` for the dimensions of latents (N, d).

    Raises
    ------
    ValueError : if a value, or the square of the spread, is not finite.
    """
    x = torch.empty(latents.T.shape, dtype=torch.float64, device=latents.device)
    x.copy_(latents.contiguous().T)  # of a view into many columns each number would be read by itself
    low, high = x.amin(1), x.amax(1)
    mean = x.mean(1)
    some = len(x) if x.is_cuda else 1  # at a time: a GPU has the memory, and waits for what starts its work
    centred = map(torch.sub, x.split(some), mean[:, None].split(some))
    spread = torch.cat([torch.linalg.vector_norm(part, dim=1) for part in centred])
    spread /= math.sqrt(x.shape[1])
    if not spread.isfinite().all():
        raise ValueError("latents must be finite, and small enough for the square of their spread to be so")
    constant = (low == high) | (spread < 1e-100)
    scale = torch.where(constant, 1.0, spread)
    # a distant origin costs digits; one at 0 keeps the zeros of a ReLU exact
    origin = torch.where(constant, low, torch.where(mean.abs() < 4 * scale, 0.0, mean))
    x.sub_(origin[:, None]).div_(scale[:, None])
    # float64 sums resolve variances to about 1e-14 of the whole
    floors = torch.stack(((FLOOR / scale**2).clamp_min(1e-12), torch.full_like(scale, FLOOR)), dim=1)
    theta, score = best_fits(x, floors)
    theta = theta[:, 0]
    theta = theta.gather(1, theta[..., 1:2].argsort(1).expand_as(theta))
    weight, mean, variance = theta.unbind(-1)
    return (
        weight,
        mean * scale[:, None] + origin[:, None],
        variance.sqrt() * scale[:, None],
        score[:, 0] - scale.log(),
        torch.where(constant, GAUSSIAN, score[:, 1]),
        constant,
    )
