r"""Mixtures of two Gaussians on many dimensions at once, by expectation-maximisation (EM).

With :math:`\phi(x) = (1, x, x^2)` the log-density of a component is linear in :math:`\phi`, and an EM step
is a polynomial of each point, one sigmoid and sums.
"""

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

FLOOR = 1e-6  # added to every variance in the M-step (scikit-learn's reg_covar)
# EM ends when the mean log-likelihood changes by less: half of scikit-learn's tol, whose parameters are those
# one step after its last comparison, and ours those compared
TOLERANCE = 5e-4
MAX_ITER = 100  # or after this many steps (scikit-learn's max_iter)
SAMPLE = 1000  # random points on which the starts are tried
GROUPS = 32  # groups of points whose extremes join them
FACTORS = 1000  # each at least 1/2, multiplied before a logarithm is taken: 2^-1000 is still a float64
TOGETHER = {"cpu": 2**17, "cuda": 2**24}  # points fitted at once: what fits a CPU's cache, or fills a GPU
ALONE = 2**15  # points of a dimension that a CPU fits by itself
ZEROS = 0.1  # share of points at 0 from which leaving them out takes less time than fitting them


def best_fits(x: Tensor, floors: Tensor) -> tuple[Tensor, Tensor]:
    """Parameters (B, F, 2, 3) and mean log-likelihoods (B, F) of the best mixtures of x (B, N), all points,
    under each of the floors (B, F).
    """
    theta, hopeful = candidates(sample(x), floors)
    floors = floors[..., None].expand_as(hopeful)
    score = torch.full_like(floors, -math.inf)
    dims = hopeful.nonzero()[:, 0]
    theta[hopeful], score[hopeful] = em(theta[hopeful], divided(x), dims, floors[hopeful], TOLERANCE)
    best = score.argmax(2, keepdim=True)
    theta = theta.gather(2, best[..., None, None].expand(-1, -1, -1, 2, 3))
    return theta[:, :, 0], score.gather(2, best)[..., 0]


@dataclass(frozen=True)
class Points:
    """Points x (B, n) of B dimensions, and how many more of each are 0, (B,).

    Of x the first ``n_first`` count once, the others ``times``.
    """

    x: Tensor
    zeros: Tensor
    n_first: int = 0
    times: float = 1.0

    @property
    def weight(self) -> Tensor:
        """How often each of x counts, (n,)."""
        weight = self.x.new_full(self.x.shape[1:], self.times)
        weight[: self.n_first] = 1
        return weight

    def split(self) -> list["Points"]:
        """Some dimensions each: of few points several, for what is small costs its overhead."""
        together = max(1, TOGETHER[self.x.device.type] // self.x.shape[1])
        parts = zip(self.x.split(together), self.zeros.split(together), strict=True)
        return [replace(self, x=x, zeros=zeros) for x, zeros in parts]

    def total(self) -> Tensor:
        r"""Sums of :math:`\phi` over the points, (B, 3)."""
        count = self.zeros + (self.n_first + (self.x.shape[1] - self.n_first) * self.times)
        return torch.stack((count, self.sum(self.x), self.sum(self.x.square())), dim=1)

    def sum(self, values: Tensor) -> Tensor:
        """Sums over x, (k,), of values (k, n); pairwise, as a running sum of much alike drifts."""
        whole = values.sum(1)
        if self.times == 1:
            return whole
        return whole * self.times - values[:, : self.n_first].sum(1) * (self.times - 1)

    def expect(self, eta: Tensor, row: Tensor) -> Tensor:
        r"""E-step of mixtures, each of the dimension in its row (k,) of x; ``eta`` (k, 3) is
        :math:`\eta_1 - \eta_2`.

        With :math:`z = (\eta_1 - \eta_2) \cdot \phi` the first component's share of a point is
        :math:`r = \sigma(z)`, and :math:`\log p - \eta_2 \cdot \phi = \max(z, 0) - \log\max(r, 1 - r)`.
        Returns the sums over x of this and of :math:`r \phi`, (k, 4).
        """
        x = self.x if len(self.x) == 1 else self.x[row]
        z = along(eta, x)
        scratch = z.clamp_min(0)
        beyond = self.sum(scratch)
        share = z.sigmoid_()
        beyond -= self.log_sum(torch.maximum(share, torch.sub(1, share, out=scratch), out=scratch))
        sums = self.sum(share), self.sum(share.mul_(x)), self.sum(share.mul_(x))
        return torch.stack((beyond, *sums), dim=1)

    def log_sum(self, factor: Tensor) -> Tensor:
        """Sum over the points of the logarithms of what lies in 1/2 .. 1, (k, n): that of few products."""
        whole, rest = divmod(factor.shape[1], FACTORS)
        many, few = factor[:, rest:].unflatten(1, (whole, FACTORS)), factor[:, :rest]
        logs = torch.cat((many.prod(2), few.prod(1, keepdim=True)), dim=1).log_().sum(1)
        if self.times == 1:
            return logs
        return logs * self.times - factor[:, : self.n_first].log().sum(1) * (self.times - 1)


def divided(x: Tensor) -> list[Points]:
    """All points of x (B, N), some dimensions each.

    On a CPU a dimension of many points stands alone, as its caches like it. Of one that has many points at 0,
    as a ReLU leaves them, these are not kept but counted.
    """
    if x.is_cuda or x.shape[1] < ALONE:
        return Points(x, x.new_zeros(len(x))).split()
    many = (x == 0).sum(1) > ZEROS * x.shape[1]
    kept = (row[row != 0] if zeros else row for row, zeros in zip(x, many.tolist(), strict=True))
    return [Points(row[None], row.new_tensor([x.shape[1] - len(row)])) for row in kept]


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
    theta, score = em(begin.flatten(0, 2), points.split(), rows, floor, TOLERANCE / 5)
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
    return (square * x).add_(slope).mul_(x).add_(constant)


def log_density(theta: Tensor, x: Tensor) -> Tensor:
    """Logarithm of the mixture's density, (B, n), at points (B, n)."""
    first, second = natural(theta).unbind(1)
    return torch.logaddexp(along(first, x), along(second, x))


def em(
    theta: Tensor, parts: list[Points], dim: Tensor, floor: Tensor, tolerance: float
) -> tuple[Tensor, Tensor]:
    """EM from theta (K, 2, 3) on the points of dimensions dim (K,), ascending, under floor (K,).

    Returns parameters and their mean log-likelihood (K,).
    """
    result, score = theta.clone(), torch.empty_like(floor)
    row = torch.arange(len(theta), device=theta.device)
    part, place = dim // len(parts[0].x), dim % len(parts[0].x)
    total = torch.cat([points.total() for points in parts])[dim]
    zeros = torch.cat([points.zeros for points in parts])[dim]
    before = torch.full_like(floor, -math.inf)
    for _ in range(MAX_ITER):
        # a narrow or nearly empty component first: what is summed and subtracted then keeps its digits
        extent = theta[..., ::2].prod(2, keepdim=True)
        theta = theta.gather(1, extent.argsort(1).expand_as(theta))
        first, second = natural(theta).unbind(1)
        eta = first - second
        counts = [len(part)] if len(parts) == 1 else part.bincount(minlength=len(parts)).tolist()
        of_parts = zip(parts, eta.split(counts), place.split(counts), strict=True)
        sums = torch.cat([points.expect(*mixtures) for points, *mixtures in of_parts if len(mixtures[0])])
        z = eta[:, 0]  # of a point at 0
        sums[:, :2] += zeros[:, None] * torch.stack((z.logaddexp(z.new_zeros(())), z.sigmoid()), dim=1)
        now = (sums[:, 0] + (second * total).sum(1)) / total[:, 0]
        result[row], score[row] = theta, now
        moving = ((now - before).abs() >= tolerance).nonzero()[:, 0]  # the one wait for a GPU
        if len(moving) == 0:
            break
        theta, before = maximise(sums[:, 1:], total, floor), now
        if len(moving) < len(row):
            row, theta, part, place = row[moving], theta[moving], part[moving], place[moving]
            total, zeros, floor, before = total[moving], zeros[moving], floor[moving], before[moving]
    return result, score


def sample(x: Tensor) -> Points:
    """Some points of each dimension of x (B, N) that count as all: a fixed random choice, and the extremes of
    groups of points, which would escape it. All points if few.
    """
    n_all = x.shape[1]
    if n_all <= SAMPLE + 3 * GROUPS:
        return Points(x, x.new_zeros(len(x)))
    grouped, rest = x.split((n_all - n_all % GROUPS, n_all % GROUPS), dim=1)
    grouped = grouped.unflatten(1, (-1, GROUPS))
    singles = torch.cat((grouped.amin(1), grouped.amax(1), rest), dim=1)
    chosen = torch.randperm(n_all, generator=torch.Generator().manual_seed(0))[:SAMPLE].to(x.device)
    together, n_first = torch.cat((singles, x[:, chosen]), dim=1), singles.shape[1]
    return Points(together, x.new_zeros(len(x)), n_first, times=(n_all - n_first) / SAMPLE)


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
