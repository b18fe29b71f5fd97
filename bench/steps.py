"""A training step and an evaluation's forward pass, against a DataLoader and the arithmetic alone."""

import itertools
import timeit

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Subset
from torchvision import datasets, transforms

from bench.timing import interleaved, row
from binenc import data
from binenc.layers import suited_to, use_cheap_dropout
from binenc.loss import total_loss
from binenc.models import build, n_parameters
from binenc.profile import Experiment, Profile, Run
from binenc.training import EVALUATION_BATCH, forward, gamma_of, set_up, tf32

IMAGES = 4864
"""Training images that both sides pass through again and again; whole batches of either experiment."""


def training_row(
    part: str, run: Run, where: torch.device, goals: dict | None = None, note: str = "", after: int = 0
) -> dict:
    """One step of a run's training, milliseconds, once each side has made so many of its own."""
    ways = {"baseline": baseline_step(run, where), "ours": our_step(run, where)}
    for way in ways.values():
        for _ in range(after):
            way()
    times = interleaved(**ways, **limit(run, where))
    return row(f"Training step, {part}", "ms", times, 1e3, goals, note)


def our_step(run: Run, where: torch.device):
    """A function that makes the next step of the training in `binenc.training`, and returns the network."""
    e = run.experiment
    split = data.load(e.dataset).train
    split = data.Split(split.images[:IMAGES], split.labels[:IMAGES]).to(where)
    model, _, _, step = set_up(run, split.images.shape[-1], 10, where)

    def batches():
        while True:
            order = torch.randperm(len(split)).to(where)
            images, labels = split.images[order], split.labels[order]
            yield from zip(images.split(e.batch_size), labels.split(e.batch_size), strict=True)

    endless = batches()

    def way() -> nn.Module:
        torch.backends.cudnn.deterministic = True  # as `train` sets it; the baseline has torch's default
        with tf32(e.precision == "tf32"):
            step(*next(endless))
        return model

    return way


def loader(e: Experiment, order: list[int] | None = None) -> DataLoader:
    """Images as the public examples read them: one by one, each through ToTensor and Normalize."""
    data.load(e.dataset)  # which downloads what is not there
    scaled = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))])
    images = getattr(datasets, data.CLASSNAMES[e.dataset])(data.folder(), train=True, transform=scaled)
    own = torch.Generator().manual_seed(0)  # or it draws from the one that makes the dropout masks
    points = range(IMAGES) if order is None else order
    return DataLoader(Subset(images, points), batch_size=e.batch_size, shuffle=order is None, generator=own)


def baseline_step(
    run: Run, where: torch.device, order: list[int] | None = None, model: nn.Module | None = None
):
    """A function that makes the next step of a conventional training, and returns its loss."""
    e = run.experiment
    if model is None:
        torch.manual_seed(run.seed)
        model = build(run, 28, 10).to(where).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=e.learning_rate)
    gamma, batches = gamma_of(run), loader(e, order)
    endless = itertools.chain.from_iterable(itertools.repeat(batches))

    def way() -> float:
        torch.backends.cudnn.conv.fp32_precision = "tf32"  # as torch begins; ours sets its own
        torch.backends.cudnn.deterministic = False
        images, labels = (x.to(where) for x in next(endless))
        logits, latents = model(images)
        loss = total_loss(logits, latents, labels, gamma, run.protocol)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.item()

    return way


def same_numbers(run: Run) -> float:
    """Largest relative difference of the losses of both sides, given one order and the same dropout masks."""
    e, where, steps = run.experiment, torch.device("cpu"), 20
    order = torch.randperm(IMAGES, generator=torch.Generator().manual_seed(0))[: steps * e.batch_size]
    torch.manual_seed(run.seed)
    model = build(run, 28, 10).apply(use_cheap_dropout).train()  # torch's own layers, but for the masks
    way = baseline_step(run, where, order.tolist(), model)
    baseline = [way() for _ in range(steps)]

    _, _, totals, step = set_up(run, 28, 10, where)
    split, ours = data.load(e.dataset).train, []
    for batch in order.split(e.batch_size):
        totals.zero_()
        step(split.images[batch], split.labels[batch])
        ours.append(totals[0].item() / len(batch))
    return max(abs(a - b) / abs(b) for a, b in zip(ours, baseline, strict=True))


def limit(run: Run, where: torch.device) -> dict:
    """The arithmetic of a step alone, on a CPU.

    That is every matrix product and convolution of both passes, the former by the faster of MKL and oneDNN,
    and as much memory read and written as Adam does: 28 bytes a parameter, of it, its gradient and its two
    moments. In bf16 there are 12 more, of weights and gradients that are converted.
    """
    if where.type == "cuda":
        return {}
    bf16 = run.experiment.precision == "bf16"
    layers = arithmetic(run, run.experiment.batch_size, torch.bfloat16 if bf16 else torch.float32)
    n = n_parameters(build(run, 28, 10))
    traffic = torch.zeros((40 if bf16 else 28) * n // 8)  # 4 bytes read and 4 written an element

    def way():
        for layer in layers:
            layer()
        traffic.neg_()

    return {"limit": way}


def arithmetic(run: Run, batch: int, dtype: torch.dtype, backward: bool = True) -> list:
    """A function for each layer's products, in the order and the shapes of the network."""
    shapes, model = [], build(run, 28, 10)

    def note(layer, inputs, output):
        shapes.append((layer, inputs[0].shape, output.shape))

    for layer in model.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d):
            layer.register_forward_hook(note)
    with torch.no_grad():
        model(torch.zeros(batch, 1, 28, 28))
    make = {nn.Linear: products, nn.Conv2d: convolutions}
    return [
        make[type(layer)](
            layer.to(dtype), torch.randn(x, dtype=dtype), torch.randn(y, dtype=dtype), i > 0, backward
        )
        for i, (layer, x, y) in enumerate(shapes)
    ]


def products(layer: nn.Linear, x: torch.Tensor, g: torch.Tensor, to_input: bool, backward: bool):
    """Forward x W^T, backward g^T x and, but for the first layer, g W."""
    w = layer.weight.detach()
    ways = [fastest(x, w)]
    if backward:
        ways.append(fastest(g.t(), x.t()))
        if to_input:
            ways.append(fastest(g, w.t()))

    def way():
        for product in ways:
            product()

    return way


def fastest(a: torch.Tensor, b: torch.Tensor):
    """A function that makes a b^T by MKL, into memory that is there, or by oneDNN."""
    out = a.new_empty(len(a), len(b))
    ways = [lambda: torch.mm(a, b.t(), out=out)]
    if torch.backends.mkldnn.is_available():
        converted = a.contiguous().to_mkldnn(), b.contiguous()
        ways.append(lambda: F.linear(*converted))
    return min(ways, key=lambda way: min(timeit.repeat(way, number=1, repeat=20)))


def convolutions(layer: nn.Conv2d, x: torch.Tensor, g: torch.Tensor, to_input: bool, backward: bool):
    """The convolution and, of the backward pass, its two transposes, channels last."""
    w, x, g = (t.contiguous(memory_format=torch.channels_last) for t in (layer.weight.detach(), x, g))
    geometry = [1, 1], [1, 1], [1, 1], False, [0, 0], 1

    def way():
        F.conv2d(x, w, padding=1)
        if backward:
            torch.ops.aten.convolution_backward(g, x, w, None, *geometry, [to_input, True, False])

    return way


def evaluation_row(run: Run) -> dict:
    """Forward pass of an evaluation on the CPU, milliseconds for 1000 images."""
    e, n = run.experiment, 2000
    model = build(run, 28, 10).eval()
    suited = suited_to(torch.device("cpu"), build(run, 28, 10), e.precision)
    images = data.load(e.dataset).train.images[:n]
    batches = loader(e, list(range(n)))
    batch = EVALUATION_BATCH["cpu"]
    layers = arithmetic(run, batch, torch.float32, backward=False)

    @torch.no_grad()
    def baseline():
        return [model(x) for x, _ in batches]

    times = interleaved(
        baseline=baseline,
        ours=lambda: forward(suited, images),
        reading=lambda: list(batches),
        limit=lambda: [layer() for layer in layers * (n // batch)],
    )
    share = 100 * sum(times["reading"]) / sum(times["baseline"])
    note = (
        f"Reading images one by one is {share:.0f} % of the baseline. The rest is arithmetic (the limit), "
        "which a faster way to read leaves as it is."
    )
    part = f"Evaluation's forward pass, {e.title}"
    return row(part, "ms / 1000 images", times, 1e6 / n, {"ratio": 10}, note)


def paper(experiment: str, architecture: str = "binary_encoding", **changes) -> Run:
    """Seed 0 of an architecture in the paper's training, with changes."""
    named = ",".join([experiment, *(f"{key}={value}" for key, value in changes.items())])
    return Profile.read("paper").run(named, "as_written", architecture, 0)
