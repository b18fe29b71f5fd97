"""The two backbones and the four heads (Section 3 and Appendix A)."""

from itertools import pairwise

import numpy as np
import torch
from torch import Tensor, nn

from binenc.profile import InputError, Run

PENULTIMATE = {
    "binary_encoding": lambda h, d: nn.Linear(h, d),
    "linear_penultimate": lambda h, d: nn.Linear(h, d),
    "nonlinear_penultimate": lambda h, d: nn.Sequential(nn.Linear(h, d), nn.ReLU()),
    "no_penultimate": lambda h, d: nn.Identity(),
}
"""The layer between h(x) and the linear classifier, from dimension h to dimension d."""

WITH_BINARY_LOSS = {"binary_encoding"}
"""The architectures trained with Eq. 1; the others with the cross-entropy alone."""


class Classifier(nn.Module):
    """A backbone, a penultimate layer and a linear classifier, which may see the latents rotated.

    ``forward`` maps images (n, 1, H, W) to (logits (n, C), latents (n, d)); ``weight`` (C, d) is that of the
    logits as a linear function of the latents.
    """

    def __init__(
        self,
        backbone: nn.Module,
        penultimate: nn.Module,
        classifier: nn.Linear,
        rotation: Tensor | None = None,
    ):
        super().__init__()
        self.backbone, self.penultimate, self.classifier = backbone, penultimate, classifier
        self.register_buffer("rotation", rotation)

    @property
    def weight(self) -> Tensor:
        weight = self.classifier.weight
        return weight if self.rotation is None else weight @ self.rotation

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        latents = self.penultimate(self.backbone(images))
        seen = latents if self.rotation is None else latents @ self.rotation.T
        return self.classifier(seen), latents


def dense(sizes: list[int], dropout_rate: float) -> list[nn.Module]:
    """Fully connected layers with ReLU after each and dropout after the first two."""
    layers = []
    for i, (n_in, n_out) in enumerate(pairwise(sizes)):
        layers += [nn.Linear(n_in, n_out), nn.ReLU()]
        if i < 2:
            layers.append(nn.Dropout(dropout_rate))
    return layers


def mlp(side: int, width: int, dropout_rate: float) -> nn.Module:
    """Three fully connected layers: images (n, 1, side, side) to h(x) of shape (n, width)."""
    return nn.Sequential(nn.Flatten(), *dense([side * side, width, width, width], dropout_rate))


def cnn(side: int, channels: list[int], width: int, n_dense: int, dropout_rate: float) -> nn.Module:
    """Five convolutions, three poolings, then fully connected layers: images to h(x) of shape (n, width)."""
    layers, n_in = [], 1
    for n_out, pool in zip(channels, (True, True, False, True, False), strict=True):
        layers += [nn.Conv2d(n_in, n_out, kernel_size=3, padding=1), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if pool else []
        n_in = n_out
    flat = channels[-1] * (side // 8) ** 2
    return nn.Sequential(*layers, nn.Flatten(), *dense([flat] + [width] * n_dense, dropout_rate))


def build(run: Run, side: int, n_classes: int) -> Classifier:
    """The network of a run, for images of ``side`` x ``side`` pixels in ``n_classes`` classes."""
    e = run.experiment
    if e.backbone == "mlp":
        backbone = mlp(side, e.width, e.dropout_rate)
    else:
        backbone = cnn(side, e.channels, e.width, run.protocol.cnn_dense_layers, e.dropout_rate)
    penultimate, d = penultimate_of(run), dimension(run)
    classifier, rotation = nn.Linear(d, n_classes), None
    if e.classifier_rotated:  # which computes the same at the start
        rotation = random_rotation(d, run.seed)
        classifier.weight = nn.Parameter(classifier.weight.detach() @ rotation.T)
    return Classifier(backbone, penultimate, classifier, rotation)


def random_rotation(d: int, seed: int) -> Tensor:
    """An orthogonal matrix (d, d), any as likely as any other, out of random numbers of its own."""
    apart = int(np.random.SeedSequence((seed, 1)).generate_state(1)[0])
    return nn.init.orthogonal_(torch.empty(d, d), generator=torch.Generator().manual_seed(apart))


def penultimate_of(run: Run) -> nn.Module:
    """The layer between h(x) and the classifier.

    Raises
    ------
    InputError
        If a layer of the architecture is nowhere written.
    """
    if run.architecture not in PENULTIMATE:
        raise InputError(f"architecture {run.architecture!r}: has no layer in PENULTIMATE, binenc/models.py")
    return PENULTIMATE[run.architecture](run.experiment.width, run.experiment.penultimate)


def dimension(run: Run) -> int:
    """Dimension d of the latents: what the penultimate layer makes of h(x), whatever layer that is."""
    with torch.device("meta"):  # shapes alone: no numbers are computed, and none drawn
        return penultimate_of(run)(torch.empty(2, run.experiment.width)).shape[1]


def n_parameters(model: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(p.numel() for p in model.parameters())
