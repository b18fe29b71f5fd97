r"""Binarity of the latents (Section 3, Fig. 1): a two-peaked Gaussian mixture on every dimension.

On each of the d dimensions, over all N points, the density

.. math:: p(x) = w_1\,\mathcal N(x; m_1, v_1) + w_2\,\mathcal N(x; m_2, v_2)

is fitted by expectation-maximisation (EM) with the variance floor and the stopping rule of scikit-learn's
``GaussianMixture``. With :math:`\phi(x) = (1, x, x^2)` the log-density of a component is linear in
:math:`\phi`, and an EM step is two small matrix products around one sigmoid.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

FLOOR = 1e-6  # added to every variance in the M-step (scikit-learn's reg_covar)
# EM ends when the mean log-likelihood changes by less: half of scikit-learn's tol, whose parameters are those
# one step after its last comparison, and ours those compared
TOLERANCE = 5e-4
MAX_ITER = 100  # or after this many steps (scikit-learn's max_iter)
SAMPLE = 1000  # random points on which the starts are tried
TOGETHER = 2**16  # points of several dimensions that are fitted at once
GROUPS = 32  # groups of points whose extremes join them
GAUSSIAN = -0.5 * math.log(2 * math.pi * math.e)  # mean log-likelihood of one Gaussian, unit variance


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

    Dimensions are taken a few at a time, so that the memory in use beside the latents stays below
    100 MB for any d at N = 60000. The same latents give the same mixtures.
    """
    if latents.ndim != 2 or 0 in latents.shape:
        raise ValueError(
            f"latents must have a shape (N, d) with N and d at least 1, not {tuple(latents.shape)}"
        )
    block = max(1, 2**21 // max(len(latents), 2**14))
    parts = [fit_block(part) for part in latents.split(block, dim=1)]
    return Mixtures(*(torch.cat(tensors) for tensors in zip(*parts, strict=True)))


def fit_block(latents: Tensor) -> tuple[Tensor, ...]:
    """The fields of :class:`Mixtures` for the dimensions of latents (N, d)."""
    x = torch.empty(latents.T.shape, dtype=torch.float64, device=latents.device).copy_(latents.T)
    low, high = x.aminmax(dim=1)
    mean = x.mean(1)
    spread = torch.linalg.vector_norm(x - mean[:, None], dim=1) / math.sqrt(x.shape[1])
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


def best_fits(x: Tensor, floors: Tensor) -> tuple[Tensor, Tensor]:
    """Parameters (B, F, 2, 3) and mean log-likelihoods (B, F) of the best mixtures of x (B, N), all points,
    under each of the floors (B, F).
    """
    points, weight = sample(x)
    found = [candidates(points, weight, floor) for floor in floors.T]
    theta, hopeful = (torch.stack(tensors, dim=1) for tensors in zip(*found, strict=True))
    floors = floors[..., None].expand_as(hopeful)
    score = torch.full_like(floors, -math.inf)
    # of few points, several dimensions at once: what is small costs its overhead
    for rows in torch.arange(len(x), device=x.device).split(max(1, TOGETHER // x.shape[1])):
        points, weight = distinct(x[rows])
        go = torch.zeros_like(hopeful)
        go[rows] = hopeful[rows]
        phi = features(points)[go.nonzero()[:, 0] - rows[0]]
        theta[go], score[go] = em(theta[go], phi, weight, floors[go], TOLERANCE)
    best = score.argmax(2, keepdim=True)
    theta = theta.gather(2, best[..., None, None].expand(-1, -1, -1, 2, 3))
    return theta[:, :, 0], score.gather(2, best)[..., 0]


def distinct(x: Tensor) -> tuple[Tensor, Tensor]:
    """Points of x (B, N) and what each counts (n,). Of a single dimension the lowest value, as the zeros of
    a ReLU, is one point that counts as many.
    """
    if len(x) > 1:
        return x, x.new_ones(x.shape[1])
    lowest = x.amin(1)
    points = torch.cat((lowest, x[x > lowest]))
    weight = torch.ones_like(points)
    weight[0] += x.shape[1] - len(points)
    return points[None], weight


def candidates(points: Tensor, weight: Tensor, floor: Tensor) -> tuple[Tensor, Tensor]:
    """Where EM ends on a sample from the three starts, (B, 3, 2, 3), and which of them to go on from, (B, 3).

    Go on from the best, and from what within three standard errors, those of a mean over the sample for one
    over all points, may be better by more than the tolerance (so not from one peak found twice).
    """
    begin = starts(points, weight, floor)
    b, k = begin.shape[:2]
    phi = features(points).repeat_interleave(k, dim=0)
    theta, score = em(begin.flatten(0, 1), phi, weight, floor.repeat_interleave(k), TOLERANCE / 5)
    _, log_ratio, eta = expect(theta, phi)
    log_p = (log_ratio + (eta[:, None] @ phi)[:, 0]).view(b, k, -1)
    score = score.view(b, k)
    best = score.argmax(1, keepdim=True)
    gap = score - score.gather(1, best)
    scatter = log_p - log_p.gather(1, best[..., None].expand(-1, 1, log_p.shape[2])) - gap[..., None]
    error = (scatter.square() @ (weight * (weight - 1))).sqrt() / weight.sum()
    hopeful = (gap + 3 * error > TOLERANCE).scatter(1, best, True)
    return theta.view(begin.shape), hopeful


def features(x: Tensor) -> Tensor:
    r"""Per point :math:`\phi(x) = (1, x, x^2)`, (B, 3, n), of points (B, n)."""
    return torch.stack((torch.ones_like(x), x, x * x), dim=1)


def maximise(sums: Tensor, total: Tensor, floor: Tensor) -> Tensor:
    """M-step: parameters (..., 2, 3), as (weight, mean, variance), from sums of phi over the points.

    ``sums`` (..., 3) over the first component's share, ``total`` (..., 3) over both, ``floor`` (...).
    """
    both = torch.stack((sums, total - sums), dim=-2)
    n = torch.maximum(both[..., 0], 1e-15 * total[..., :1])  # an emptied component keeps finite parameters
    mean = both[..., 1] / n
    variance = (both[..., 2] / n - mean.square()).clamp_min(0) + floor[..., None]
    return torch.stack((n / total[..., :1], mean, variance), dim=-1)


def expect(theta: Tensor, phi: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    r"""E-step: the first component's share of each point (B, n), and what the log-likelihood is made of.

    With :math:`\log w_k \mathcal N_k = \eta_k \cdot \phi(x)` and :math:`z = (\eta_1 - \eta_2) \cdot \phi`
    the share is :math:`r = \sigma(z)` and :math:`\log p = \eta_2 \cdot \phi + \log(1 + e^z)`, where
    :math:`\log(1 + e^z) = \max(z, 0) - \log\max(r, 1 - r)`. Returned are r, log(1 + e^z) and eta_2.
    """
    w, m, v = theta.unbind(-1)
    eta = torch.stack(((w / (2 * math.pi * v).sqrt()).log() - m * m / (2 * v), m / v, -0.5 / v), dim=-1)
    z = ((eta[:, :1] - eta[:, 1:]) @ phi)[:, 0]
    share = z.sigmoid()
    larger = (share - 0.5).abs_().add_(0.5)
    return share, z.clamp_min_(0).sub_(larger.log_()), eta[:, 1]


def em(theta: Tensor, phi: Tensor, weight: Tensor, floor: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    """EM from theta (B, 2, 3) on points phi (B, 3, n) that count ``weight`` (n,) each, under floor (B,).

    Returns parameters and their mean log-likelihood (B,).
    """
    # the narrower component first: what is summed and subtracted then keeps its digits
    theta = theta.gather(1, theta[..., 2:].argsort(1).expand_as(theta))
    result, score = theta.clone(), torch.empty_like(floor)
    rows = torch.arange(len(theta), device=theta.device)
    total = phi @ weight
    before = torch.full_like(floor, -math.inf)
    for _ in range(MAX_ITER):
        share, log_ratio, eta = expect(theta, phi)
        now = (log_ratio @ weight + (eta * total).sum(-1)) / total[:, 0]
        result[rows], score[rows] = theta, now
        moving = (now - before).abs() >= tolerance
        n = int(moving.sum())
        if n == 0:
            break
        sums = ((share * weight)[:, None] @ phi.mT)[:, 0]
        theta, before = maximise(sums, total, floor), now
        if n < len(rows):
            rows, theta, phi, total = rows[moving], theta[moving], phi[moving], total[moving]
            floor, before = floor[moving], before[moving]
    return result, score


def sample(x: Tensor) -> tuple[Tensor, Tensor]:
    """Points (B, n) of each dimension of x (B, N), and what each counts (n,): N in all.

    A fixed random choice, and the extremes of groups of points, which would escape it. All points if few.
    """
    b, n_all = x.shape
    if n_all <= SAMPLE + 3 * GROUPS:
        return x, x.new_ones(n_all)
    grouped, rest = x.split((n_all - n_all % GROUPS, n_all % GROUPS), dim=1)
    singles = torch.cat((*grouped.reshape(b, -1, GROUPS).aminmax(dim=1), rest), dim=1)
    chosen = torch.randperm(n_all, generator=torch.Generator().manual_seed(0))[:SAMPLE].to(x.device)
    weight = x.new_ones(singles.shape[1] + SAMPLE)
    weight[-SAMPLE:] = (n_all - singles.shape[1]) / SAMPLE
    return torch.cat((singles, x[:, chosen]), dim=1), weight


def starts(x: Tensor, weight: Tensor, floor: Tensor) -> Tensor:
    """Three ways (B, 3, 2, 3) to divide the points (B, n) in two: the cut of 2-means; the cut, and the
    interval against its outside, of largest likelihood (peaks of any size; a narrow peak on a wide one).
    """
    x, order = x.sort(dim=1)
    n = x.shape[1]
    below = (features(x) * weight[order][:, None]).cumsum(-1).mT
    total, floor = below[:, -1:], floor[:, None]
    cuts = maximise(below[:, : max(n - 1, 1)], total, floor)
    grid = torch.linspace(0, n - 1, 33, device=x.device).long()
    i, j = torch.triu_indices(33, 33, 1, device=x.device)
    intervals = maximise(below[:, grid[j]] - below[:, grid[i]], total, floor)

    def best(theta, score):
        return theta[torch.arange(len(x), device=x.device), score.sum(-1).argmax(1)]

    def likelihood(theta):
        w, _, v = theta.unbind(-1)
        return w * (w.log() - 0.5 * v.log())

    kmeans = best(cuts, -cuts[..., 0] * cuts[..., 2])
    return torch.stack((kmeans, best(cuts, likelihood(cuts)), best(intervals, likelihood(intervals))), dim=1)
