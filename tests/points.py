"""Points of many kinds, for fits of two peaks."""

import math

import torch
from sklearn.datasets import load_digits
from torch import nn

from binenc.loss import binary_loss

N = 3000


def samples():
    """Points (N,) of many kinds, the same in every run."""
    generator = torch.Generator().manual_seed(7)
    z = torch.randn(N, generator=generator, dtype=torch.float64)
    u = torch.rand(N, generator=generator, dtype=torch.float64)
    side = torch.where(torch.rand(N, generator=generator) < 0.4, 1.0, -1.0).double()
    return {
        "two sharp peaks": side + 0.01 * z,
        "two peaks": side + 0.4 * z,
        "one peak": z,
        "one sharp peak": 1e-4 * z,
        "constant": torch.full_like(z, 3.3),
        "dead": torch.zeros_like(z),
        "Cauchy": (math.pi * (u - 0.5)).tan(),
        "Student": z / (0.05 + u).sqrt(),
        "half zeros": (side + z).relu(),
        "half zeros, sharp": (side + 0.01 * z).relu(),
        "half zeros, large": 1e3 * z.relu(),
        "almost all zeros": (z - 2.5).relu(),
        "narrow on wide": torch.where(side > 0, 0.05 * z + 0.2, z),
        "tiny cluster": torch.where(u < 1e-3, 10 + 0.1 * z, z),
        "one outlier": torch.where(u == u.max(), 100.0, z),
        "offset": 1e3 + side + 0.3 * z,
        "distant": 1e5 + 0.1 * (side + 0.1 * z),
        "small": 1e-2 * (side + 0.1 * z),
        "large": 1e2 * (side + 0.1 * z),
        "skewed": z.exp(),
        "uniform": u,
        "ordered": (side + 0.4 * z).sort().values,
        "two values": side,
    }


SAMPLES = samples()


def trained_latents() -> dict[str, torch.Tensor]:
    """Penultimate activations of digits after a short training of each architecture: (1797, 24) each."""
    digits = load_digits()
    images, labels = torch.tensor(digits.data).float() / 8 - 1, torch.tensor(digits.target)
    result = {}
    for name in ("binary_encoding", "linear_penultimate", "nonlinear_penultimate", "no_penultimate"):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            wide = 24 if name == "no_penultimate" else 64
            backbone = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, wide), nn.ReLU())
            if name != "no_penultimate":
                backbone.append(nn.Linear(64, 24))
            if name == "nonlinear_penultimate":
                backbone.append(nn.ReLU())
            classifier = nn.Linear(24, 10)
            optimiser = torch.optim.Adam([*backbone.parameters(), *classifier.parameters()], lr=3e-3)
            for _ in range(12):
                for batch in torch.randperm(len(images)).split(128):
                    x = backbone(images[batch])
                    loss = nn.functional.cross_entropy(classifier(x), labels[batch])
                    if name == "binary_encoding":
                        loss = loss + 10 * binary_loss(x)
                    optimiser.zero_grad()
                    loss.backward()
                    optimiser.step()
        result[name] = backbone(images).detach()
    return result
