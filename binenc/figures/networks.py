"""The four heads and the two backbones as drawings, and the shape of the binary-encoding loss."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from binenc.figures.style import COLOURS, PANEL, STYLE, show
from binenc.profile import ARCHITECTURES

PLAIN, LAYER = "#f2f2f2", "#dbe9f4"

HEADS = {
    "binary_encoding": ["linear, d", "latents, d numbers", "linear, C", "f(x)", "cross-entropy + γ L_bin"],
    "linear_penultimate": ["linear, d", "latents, d numbers", "linear, C", "f(x)", "cross-entropy"],
    "nonlinear_penultimate": ["linear, d, ReLU", "latents, d numbers", "linear, C", "f(x)", "cross-entropy"],
    "no_penultimate": ["", "latents = h(x)", "linear, C", "f(x)", "cross-entropy"],
}
"""From h(x) to the loss, box by box; an empty one is skipped."""

BACKBONES = {
    "mlp": [
        "image",
        "fully connected, ReLU, dropout",
        "fully connected, ReLU, dropout",
        "fully connected, ReLU",
        "h(x)",
    ],
    "cnn": [
        "image",
        "conv, ReLU, pool",
        "conv, ReLU, pool",
        "conv, ReLU",
        "conv, ReLU, pool",
        "conv, ReLU",
        "fully connected, ReLU, dropout",
        "fully connected, ReLU, dropout",
        "h(x)",
    ],
}
"""From image to h(x), as written; as released the CNN has a third fully connected layer, without dropout."""


def chain(ax: Axes, boxes: list[str]) -> None:
    """Boxes one below the other with arrows; layers are tinted, what flows between them is not."""
    y = -0.5
    tops = []
    for words in boxes:
        if words:
            flows = "(x)" in words or "latents" in words or words == "image"
            face = PLAIN if flows else "#fdebd0" if "entropy" in words else LAYER
            box = {"boxstyle": "round,pad=0.35", "facecolor": face, "edgecolor": "#555555", "linewidth": 0.8}
            ax.text(0, y, words, ha="center", va="center", bbox=box, fontsize=9)
            tops.append(y)
        y -= 1
    for above, below in pairwise(tops):
        arrow = {"arrowstyle": "-|>", "color": "#555555", "shrinkA": 10, "shrinkB": 10}
        ax.annotate("", (0, below), (0, above), arrowprops=arrow)
    ax.set(xlim=(-1, 1), ylim=(y + 0.5, 0.1))
    ax.axis("off")


def heads() -> None:
    """Show what follows h(x) in the four architectures."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 2, figsize=(2 * PANEL, 6.6))
        for ax, (architecture, boxes) in zip(axes.flat, HEADS.items(), strict=True):
            chain(ax, ["h(x)", *boxes])
            ax.set_title(ARCHITECTURES[architecture], fontweight="bold")
        figure.tight_layout()
    rows = [(name, i, words) for name, boxes in HEADS.items() for i, words in enumerate(boxes) if words]
    caption = (
        "The four architectures after the backbone. Binary encoding and linear penultimate are the same "
        "network, only the loss differs. The latents are what this study looks at."
    )
    alt = (
        "Four chains of boxes from h(x) to the loss. Binary encoding: a linear layer to d latents, a "
        "linear classifier, cross-entropy plus gamma times L_bin of the latents. Linear penultimate: the "
        "same with cross-entropy alone. Non-linear penultimate: a ReLU after the first layer. No "
        "penultimate: the classifier on h(x)."
    )
    show(figure, "heads", caption, alt, pd.DataFrame(rows, columns=["architecture", "place", "box"]))


def backbones() -> None:
    """Show how an image becomes h(x) in the two backbones."""
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(1, 2, figsize=(2 * PANEL, 5.4))
        for ax, (name, boxes) in zip(axes, BACKBONES.items(), strict=True):
            chain(ax, boxes)
            ax.set_ylim(-len(BACKBONES["cnn"]), 0.1)
            ax.set_title(name.upper(), fontweight="bold")
        figure.tight_layout()
    rows = [(name, i, words) for name, boxes in BACKBONES.items() for i, words in enumerate(boxes)]
    caption = (
        "The two backbones as written. As released, the CNN has a third fully connected layer with ReLU and "
        "no dropout."
    )
    alt = (
        "Two chains of boxes from the image to h(x). MLP: three fully connected layers with ReLU, dropout "
        "after the first two. CNN: five convolutions with ReLU, pooling after the first, second and "
        "fourth, then two fully connected layers with ReLU and dropout."
    )
    show(figure, "backbones", caption, alt, pd.DataFrame(rows, columns=["backbone", "place", "box"]))


def loss_shape(d: int = 8) -> None:
    """Show L_bin of latents that all lie at +a or -a, by each reading, and its slope."""
    import torch

    from binenc.loss import binary_loss

    a = np.linspace(0, 1.5, 61)
    dotted, dashed, dash_dotted = (0, (1, 1)), (0, (5, 2)), (0, (5, 1, 1, 1))
    readings = {"exp_of_mean": "-", "mean_of_exp": dashed, "exp_of_norm": dotted, "mean_square": dash_dotted}
    signs = torch.tensor([1.0, -1.0]).repeat(d, d // 2).double()
    values = {r: [float(binary_loss(signs * height, r)) for height in a] for r in readings}
    numbers = pd.DataFrame({"a": a, **values, "slope": 2 * a * np.exp(a**2)})
    with plt.rc_context(STYLE):
        figure, (left, right) = plt.subplots(1, 2, figsize=(2 * PANEL, 2.9))
        left.plot(a, np.exp(a**2), color=COLOURS["binary_encoding"], label=r"$e^{a^2}$")
        left.plot(a, numbers.slope, color="black", linestyle=":", label="its slope")
        left.set(xlabel="|latent| a", ylim=(0, 8), ylabel="$L_{bin}$", title="one latent")
        for reading, dashes in readings.items():
            right.plot(a, numbers[reading], color="black", linestyle=dashes, label=reading.replace("_", " "))
        right.set(
            xlabel="|latent| a",
            ylabel="$L_{bin}$",
            yscale="log",
            ylim=(0.8, 1e4),
            title=f"{d} latents, all at ±a",
        )
        for ax in (left, right):
            ax.legend(loc="upper left", fontsize=9, handlelength=1.6)
        figure.tight_layout()
    caption = (
        "The binary-encoding loss. Left: flat at zero, steep beyond one. "
        f"Right: three readings of it, for {d} latents of the same size a, and the control, 1 + x². The "
        "first two agree there, as for small latents does the control; the norm of a point weighs far more."
    )
    alt = (
        "Left, exp of a squared rises from 1 at a = 0 to 2.7 at a = 1, its slope from 0 to 5.4. Right, on a "
        "logarithmic axis, exp of mean and mean of exp coincide, exp of norm rises faster, 1 + x² slower."
    )
    show(figure, "loss-shape", caption, alt, numbers)
