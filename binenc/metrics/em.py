r"""Mixtures of two Gaussians on many dimensions at once, by expectation-maximisation (EM).

With :math:`\phi(x) = (1, x, x^2)` the log-density of a component is linear in :math:`\phi`, and an EM step
is a polynomial of each point, one sigmoid and sums.
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
GROUPS = 32  # groups of points whose extremes join them
FACTORS = 1000  # of at least 1/2 whose product float64 still holds
TOGETHER = {"cpu": 2**16, "cuda": 2**24}  # points fitted at once: what fits a CPU's cache, or fills a GPU


def best_fits(x: Tensor, floors: Tensor) -> tuple[Tensor, Tensor]:
    """Parameters (B, F, 2, 3) and mean log-likelihoods (B, F) of the best mixtures of x (B, N), all points,
    under each of the floors (B, F).
    """
    theta, hopeful = candidates(sample(x), floors)
    floors = floors[..., None].expand_as(hopeful)
    score = torch.full_like(floors, -math.inf)
    # of few points, several dimensions at once: what is small costs its overhead
    together = max(1, TOGETHER[x.device.type] // x.shape[1])
    for rows in torch.arange(len(x), device=x.device).split(together):
        go = torch.zeros_like(hopeful)
        go[rows] = hopeful[rows]
        points = distinct(x[rows])[go.nonzero()[:, 0] - rows[0]]
        theta[go], score[go] = em(theta[go], points, floors[go], TOLERANCE)
    best = score.argmax(2, keepdim=True)
    theta = theta.gather(2, best[..., None, None].expand(-1, -1, -1, 2, 3))
    return theta[:, :, 0], score.gather(2, best)[..., 0]


@dataclass(frozen=True)
class Points:
    """Points x (B, n) of B dimensions, and what each of them counts, (n,).

    The first ``n_first`` count alike, and so do the others.
    """

    x: Tensor
    weight: Tensor
    n_first: int = 0

    def __getitem__(self, rows: Tensor) -> "Points":
        return Points(self.x[rows], self.weight, self.n_first)

    def moments(self, share: Tensor) -> Tensor:
        r"""Sums of :math:`\phi` (B, 3) over the points, each of its ``share`` (B, n), which is changed."""
        share.mul_(self.weight)
        return torch.stack((share.sum(1), share.mul_(self.x).sum(1), share.mul_(self.x).sum(1)), dim=1)

    def log_sum(self, factor: Tensor) -> Tensor:
        """Sum over the points of the logarithms of what lies in 1/2 .. 1, (B, n): that of few products."""
        first, others = factor.split((self.n_first, factor.shape[1] - self.n_first), dim=1)
        alike = ((first, self.weight[:1]), (others, self.weight[-1:]))
        return sum(weight * log_product(some) for some, weight in alike)


def log_product(factor: Tensor) -> Tensor:
    """Logarithm of the product of a row (B,), of factors (B, n) in 1/2 .. 1."""
    whole = factor.shape[1] // FACTORS
    many, rest = factor.split((whole * FACTORS, factor.shape[1] - whole * FACTORS), dim=1)
    return many.unflatten(1, (whole, FACTORS)).prod(2).log_().sum(1) + rest.prod(1).log_()


def distinct(x: Tensor) -> Points:
    """Points of x (B, N). Of a single dimension the lowest value, as the zeros of a ReLU, is one point that
    counts as many.
    """
    if len(x) > 1:
        return Points(x, x.new_ones(x.shape[1]))
    lowest = x.amin(1)
    points = torch.cat((lowest, x[x > lowest]))
    weight = torch.ones_like(points)
    weight[0] += x.shape[1] - len(points)
    return Points(points[None], weight, n_first=1)


def candidates(points: Points, floors: Tensor) -> tuple[Tensor, Tensor]:
    """Where EM ends on a sample of B dimensions, from the three starts under each of the floors (B, F):
    parameters (B, F, 3, 2, 3), and which of the three to go on from (B, F, 3).

    Go on from the best, and from what within three standard errors, those of a mean over the sample for one
    over all points, may be better by more than the tolerance (so not from one peak found twice).
    """
    begin = starts(points, floors)
    b, f, k = begin.shape[:3]
    rows = torch.arange(b, device=floors.device).repeat_interleave(f * k)
    floor = floors.flatten().repeat_interleave(k)
    theta, score = em(begin.flatten(0, 2), points[rows], floor, TOLERANCE / 5)
    log_p = log_density(theta, points.x[rows]).view(b, f, k, -1)
    score = score.view(b, f, k)
    best = score.argmax(2, keepdim=True)
    gap = score - score.gather(2, best)
    scatter = log_p - log_p.take_along_dim(best[..., None], dim=2) - gap[..., None]
    weight = points.weight
    error = (scatter.square() @ (weight * (weight - 1))).sqrt() / weight.sum()
    hopeful = (gap + 3 * error > TOLERANCE).scatter(2, best, True)
    return theta.view(begin.shape), hopeful


def maximise(sums: Tensor, total: Tensor, floor: Tensor) -> Tensor:
    """M-step: parameters (..., 2, 3), as (weight, mean, variance), from sums of phi over the points.

    ``sums`` (..., 3) over the first component's share, ``total`` (..., 3) over both, ``floor`` (...).
    """
    both = torch.stack((sums, total - sums), dim=-2)
    n = torch.maximum(both[..., 0], 1e-15 * total[..., :1])  # an emptied component keeps finite parameters
    mean = both[..., 1] / n
    variance = (both[..., 2] / n - mean.square()).clamp_min(0) + floor[..., None]
    return torch.stack((n / total[..., :1], mean, variance), dim=-1)


def natural(theta: Tensor) -> Tensor:
    r""":math:`\eta` (B, 2, 3) of both components: :math:`\log w_k \mathcal N_k = \eta_k \cdot \phi(x)`."""
    w, m, v = theta.unbind(-1)
    return torch.stack(((w / (2 * math.pi * v).sqrt()).log() - m * m / (2 * v), m / v, -0.5 / v), dim=-1)


def along(eta: Tensor, x: Tensor) -> Tensor:
    r""":math:`\eta \cdot \phi(x)`, (B, n), of eta (B, 3) and points (B, n)."""
    constant, slope, square = eta[..., None].unbind(1)
    return torch.addcmul(constant, torch.addcmul(slope, square, x), x)


def log_density(theta: Tensor, x: Tensor) -> Tensor:
    """Logarithm of the mixture's density, (B, n), at points (B, n)."""
    first, second = natural(theta).unbind(1)
    return torch.logaddexp(along(first, x), along(second, x))


def em(theta: Tensor, points: Points, floor: Tensor, tolerance: float) -> tuple[Tensor, Tensor]:
    r"""EM from theta (B, 2, 3) on the points of B dimensions, under floor (B,).

    With :math:`z = (\eta_1 - \eta_2) \cdot \phi` the first component's share of a point is
    :math:`r = \sigma(z)`, and :math:`\log p = \eta_2 \cdot \phi + \max(z, 0) - \log\max(r, 1 - r)`.
    Returns parameters and their mean log-likelihood (B,).
    """
    # the narrower component first: what is summed and subtracted then keeps its digits
    theta = theta.gather(1, theta[..., 2:].argsort(1).expand_as(theta))
    result, score = theta.clone(), torch.empty_like(floor)
    rows = torch.arange(len(theta), device=theta.device)
    total = points.moments(torch.ones_like(points.x))
    before = torch.full_like(floor, -math.inf)
    for _ in range(MAX_ITER):
        first, second = natural(theta).unbind(1)
        z = along(first - second, points.x)
        now = (second * total).sum(1) + z.clamp_min(0) @ points.weight
        share = z.sigmoid_()
        now = (now - points.log_sum((share - 0.5).abs_().add_(0.5))) / total[:, 0]
        result[rows], score[rows] = theta, now
        moving = (now - before).abs() >= tolerance
        n = int(moving.sum())
        if n == 0:
            break
        theta, before = maximise(points.moments(share), total, floor), now
        if n < len(rows):
            rows, theta, points, total = rows[moving], theta[moving], points[moving], total[moving]
            floor, before = floor[moving], before[moving]
    return result, score


def sample(x: Tensor) -> Points:
    """Some points of each dimension of x (B, N) that count as all: a fixed random choice, and the extremes of
    groups of points, which would escape it. All points if few.
    """
    b, n_all = x.shape
    if n_all <= SAMPLE + 3 * GROUPS:
        return Points(x, x.new_ones(n_all))
    grouped, rest = x.split((n_all - n_all % GROUPS, n_all % GROUPS), dim=1)
    singles = torch.cat((*grouped.reshape(b, -1, GROUPS).aminmax(dim=1), rest), dim=1)
    chosen = torch.randperm(n_all, generator=torch.Generator().manual_seed(0))[:SAMPLE].to(x.device)
    weight = x.new_ones(singles.shape[1] + SAMPLE)
    weight[-SAMPLE:] = (n_all - singles.shape[1]) / SAMPLE
    return Points(torch.cat((singles, x[:, chosen]), dim=1), weight, n_first=singles.shape[1])


def starts(points: Points, floors: Tensor) -> Tensor:
    """Three ways to divide the points in two, under each of the floors (B, F): parameters (B, F, 3, 2, 3).

    They are the cut of 2-means; the cut, and the interval against its outside, of largest likelihood (peaks
    of any size; a narrow peak on a wide one).
    """
    x, order = points.x.sort(dim=1)
    n = x.shape[1]
    phi = torch.stack((torch.ones_like(x), x, x * x), dim=-1)
    below = (phi * points.weight[order][..., None]).cumsum(1)
    total, no_floor = below[:, -1:], x.new_zeros(())
    cuts = maximise(below[:, : max(n - 1, 1)], total, no_floor)
    grid = torch.linspace(0, n - 1, 33, device=x.device).long()
    i, j = torch.triu_indices(33, 33, 1, device=x.device)
    intervals = maximise(below[:, grid[j]] - below[:, grid[i]], total, no_floor)

    def best(theta, score):
        theta = theta[torch.arange(len(x), device=x.device)[:, None], score.argmax(2)]
        theta[..., 2] += floors[..., None]
        return theta

    def compact(theta):
        return -(theta[..., 0] * theta[..., 2]).sum(2)[:, None].expand(-1, floors.shape[1], -1)

    def likelihood(theta):
        w, _, v = theta[:, None].unbind(-1)
        return (w * (w.log() - 0.5 * (v + floors[..., None, None]).log())).sum(3)

    found = best(cuts, compact(cuts)), best(cuts, likelihood(cuts)), best(intervals, likelihood(intervals))
    return torch.stack(found, dim=2)
