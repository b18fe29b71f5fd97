"""Train one run and measure it: the loop, on the CPU or a GPU."""

import itertools
import math
import os
import re
import time
from collections.abc import Callable
from contextlib import contextmanager, nullcontext

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from binenc import data, records
from binenc.graphed_step import GraphedStep
from binenc.layers import suited_to
from binenc.loss import binary_loss, cross_entropy, total_loss
from binenc.metrics import measure, per_class
from binenc.models import WITH_BINARY_LOSS, build, n_parameters
from binenc.profile import InputError, Run
from binenc.provenance import checkout, provenance

EVALUATION_BATCH = {"cpu": 200, "cuda": 1000}
"""Images at a time; of so many the CNN's outputs fit the caches of a CPU."""
CLEAR_EVERY = 50
"""Steps on a CPU between two calls of `clear_denormals`."""
MOMENTUM = 0.9
"""Of gradient descent, where it trains the classifier."""
SNAPSHOT_EPOCHS = (0, 5, 10, 20, 40, 60, 80, 100)
SNAPSHOT_POINTS, SNAPSHOT_DIMENSIONS = 200, 64


checkout()  # as the code was loaded: what is committed during a training is not what trained


class TrainingDiverged(InputError):
    """The loss is no longer finite."""


def device() -> torch.device:
    """CUDA where present, else the CPU; ``BINENC_DEVICE`` overrides.

    Raises
    ------
    InputError
        If ``BINENC_DEVICE`` is neither cpu nor a GPU of this machine.
    """
    name = os.environ.get("BINENC_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if not re.fullmatch(r"cpu|cuda(:(0|[1-9]\d*))?", name, re.ASCII):
        raise InputError(f"BINENC_DEVICE {name!r}: allowed are cpu, cuda, cuda:0, cuda:1, ...")
    if kind == "cuda" and int(index or 0) >= (found := torch.cuda.device_count()):
        raise InputError(f"BINENC_DEVICE {name!r}: torch sees {found} GPUs on this machine; cpu is allowed")
    return torch.device(name)


def train(run: Run, progress: bool = True) -> tuple[records.Record, dict[str, Tensor]]:
    """Train a run from its seed; return its record and the final weights.

    Raises
    ------
    TrainingDiverged
        If the loss or the outputs of the network are no longer finite.
    """
    started, where = time.perf_counter(), device()
    if where.type == "cuda":
        torch.cuda.set_device(where.index or 0)  # whose streams a graph is recorded on
        torch.backends.cudnn.deterministic = True
    e, protocol = run.experiment, run.protocol
    dataset = data.load(e.dataset)
    checksum = dataset.checksum
    dataset = dataset.to(where)

    model, learning_rate, totals, step = set_up(run, dataset.side, len(dataset.classes), where)
    order, gamma = torch.Generator().manual_seed(run.seed), gamma_of(run)
    rows, snapshots, last_finite = [], [], "none"
    seconds = {"training": 0.0, "evaluation": 0.0}
    with tqdm(range(e.epochs), desc=run.id, unit="epoch", disable=not progress) as epochs:
        for epoch in epochs:
            if protocol.learning_rate == "halved":
                learning_rate.fill_(e.learning_rate * 0.5 ** (epoch // e.halve_every))
            model.train(protocol.dropout == "every_epoch" or epoch == 0)
            began = time.perf_counter()
            with tf32(e.precision == "tf32"):
                loss, accuracy = train_epoch(step, totals, dataset.train, order, e.batch_size)
            trained = time.perf_counter()
            rows += [(epoch, "train", "epoch_loss", loss), (epoch, "train", "epoch_accuracy", accuracy)]
            outputs = {}
            if epoch in e.evaluated:
                outputs = {name: forward(model, getattr(dataset, name).images) for name in ("train", "test")}
            if not (math.isfinite(loss) and all(logits.isfinite().all() for logits, _ in outputs.values())):
                raise TrainingDiverged(
                    f"{run.id}: the loss is no longer finite in epoch {epoch} (mean {loss:.4g}); last finite "
                    f"values: {last_finite}. Lower learning_rate ({e.learning_rate})"
                    + (f" or gamma ({gamma})." if gamma else ".")
                )
            last_finite = f"loss {loss:.4g}, accuracy {accuracy:.4f} (epoch {epoch})"
            for name, (logits, latents) in outputs.items():
                values = evaluate(logits, latents, getattr(dataset, name).labels, model, gamma, protocol)
                rows += [(epoch, name, metric, value) for metric, value in values.items()]
            if outputs and (epoch in SNAPSHOT_EPOCHS or epoch == e.epochs - 1):
                snapshots.append(snapshot(epoch, outputs, dataset, protocol))
            seconds["training"] += trained - began
            seconds["evaluation"] += time.perf_counter() - trained
            epochs.set_postfix(loss=f"{loss:.4f}", accuracy=f"{accuracy:.4f}")

    arrays = {key: np.stack([s[key] for s in snapshots]) for key in snapshots[0]}
    logits, latents = outputs["test"]
    for key, value in per_class(logits, latents, dataset.test.labels, protocol).items():
        arrays[f"test_{key}"] = value.cpu().numpy()
    if model.rotation is not None:
        arrays["rotation"] = model.rotation.cpu().numpy()
    content = {
        "id": run.id,
        "status": "complete",
        "configuration": run.configuration,
        "code": records.code_version(),
        "n_parameters": n_parameters(model),
        "classes": dataset.classes,
        "data_checksum": checksum,
        "wall_seconds": round(time.perf_counter() - started, 2),
        **{f"{part}_seconds": round(spent, 3) for part, spent in seconds.items()},
    } | provenance(where)
    history = pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])
    weights = {name: w.detach().cpu().contiguous() for name, w in model.state_dict().items()}
    return records.Record(content, history, arrays), weights


def set_up(run: Run, side: int, n_classes: int, where: torch.device) -> tuple:
    """What a training starts with, from its seed.

    Returns
    -------
    model : the network of `build`, on its device and in training mode
    learning_rate : Tensor of shape (), which Adam reads at each step
    totals, step : as `make_step` has them; on a GPU the step is a `GraphedStep`
    """
    e = run.experiment
    torch.manual_seed(run.seed)
    model = suited_to(where, build(run, side, n_classes), e.precision)
    on_gpu = where.type == "cuda"
    learning_rate = torch.tensor(e.learning_rate, device=where)
    by_descent = list(model.classifier.parameters()) if e.classifier_sgd else []
    rest = [weights for weights in model.parameters() if all(weights is not w for w in by_descent)]
    optimizers = [torch.optim.Adam(rest, lr=learning_rate, fused=True, capturable=on_gpu)]
    if by_descent:
        optimizers.append(torch.optim.SGD(by_descent, lr=e.classifier_sgd, momentum=MOMENTUM))
    totals = torch.zeros(2, dtype=torch.float64, device=where)
    step = make_step(model, optimizers, totals, run)
    return model, learning_rate, totals, GraphedStep(step, model, e.batch_size) if on_gpu else step


def gamma_of(run: Run) -> float:
    """Weight of the binary-encoding loss in Eq. 1; 0 where an architecture is trained without."""
    return run.experiment.gamma if run.architecture in WITH_BINARY_LOSS else 0.0


def train_epoch(step: Callable, totals: Tensor, split: data.Split, order: torch.Generator, batch_size: int):
    """One pass over the training points in random order; the mean loss and accuracy on the way.

    The points are shuffled once, so that a batch is a view; nothing waits for the device before the end.
    """
    totals.zero_()
    shuffled = torch.randperm(len(split), generator=order).to(split.labels.device)
    images, labels = split.images[shuffled], split.labels[shuffled]
    for batch in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        step(*batch)
    return (totals / len(split)).tolist()


def make_step(
    model: nn.Module, optimizers: list[torch.optim.Optimizer], totals: Tensor, run: Run
) -> Callable:
    """The training step of a batch; adds (sum of losses, number of correct labels) to ``totals``."""
    loss_sum, correct = totals.unbind()
    parameters = list(model.parameters())
    on_cpu, steps = totals.device.type == "cpu", itertools.count(1)
    gamma, bf16 = gamma_of(run), run.experiment.precision == "bf16"
    cast = torch.autocast(totals.device.type, torch.bfloat16) if bf16 else nullcontext()

    def step(images: Tensor, labels: Tensor) -> None:
        with cast:
            logits, latents = model(images)
        loss = total_loss(logits.float(), latents.float(), labels, gamma, run.protocol)
        for parameter in parameters:  # a small network's step is a tenth shorter than with zero_grad()
            parameter.grad = None
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        if on_cpu and next(steps) % CLEAR_EVERY == 0:
            clear_denormals(optimizers[0])
        loss_sum.add_(loss.detach(), alpha=len(labels))
        correct.add_((logits.detach().argmax(dim=1) == labels).sum())

    return step


def clear_denormals(optimizer: torch.optim.Adam) -> None:
    """Set moments of Adam below the smallest normal number, 1.2e-38, to 0.

    Those of weights that no longer learn fade to denormal numbers and stay there, and Intel's processors
    compute with these some thirty times as slowly. Adam adds 1e-8 to what it divides by, so that they move
    no weight. (torch.set_flush_denormal does not reach threads that there are already.)
    """
    for state in optimizer.state.values():
        for moment in (state["exp_avg"], state["exp_avg_sq"]):
            moment.masked_fill_(moment.abs() < torch.finfo(moment.dtype).tiny, 0)


@contextmanager
def tf32(allowed: bool):
    """Matrix products and convolutions on a GPU in TF32, or (torch's default differs) in full float32."""
    switches = torch.backends.cuda.matmul, torch.backends.cudnn.conv
    for switch in switches:
        switch.fp32_precision = "tf32" if allowed else "ieee"
    try:
        yield
    finally:
        for switch in switches:
            switch.fp32_precision = "ieee"


@torch.inference_mode()
def forward(model: nn.Module, images: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, C) and latents (N, d) of all images, in evaluation mode and float32."""
    model.eval()
    batches = images.split(EVALUATION_BATCH[images.device.type])
    logits, latents = zip(*map(model, batches), strict=True)
    return torch.cat(logits), torch.cat(latents)


@torch.inference_mode()
def evaluate(logits, latents, labels, model, gamma, protocol) -> dict[str, float]:
    """All metrics of one evaluation of one split, and the terms of Eq. 1, by the names of ``METRICS``.

    Parameters
    ----------
    logits, latents, labels : Tensors of shape (N, C), (N, d) and (N,)
    """
    return {
        "loss": total_loss(logits, latents, labels, gamma, protocol).item(),
        "cross_entropy": cross_entropy(logits, labels, protocol.softmax_twice).item(),
        "loss_bin": binary_loss(latents, protocol.loss_bin).item(),
    } | measure(logits, latents, labels, model.weight, protocol)


def snapshot(epoch: int, outputs: dict, dataset: data.Dataset, protocol) -> dict[str, np.ndarray]:
    """Latents of a fixed sample of test points, their principal plane, and the training codebook."""
    _, latents = outputs["test"]
    points = torch.linspace(0, len(latents) - 1, min(SNAPSHOT_POINTS, len(latents))).long()
    d = latents.shape[1]
    dimensions = torch.linspace(0, d - 1, min(SNAPSHOT_DIMENSIONS, d)).long()
    sample = latents[points.to(latents.device)].cpu().double()
    centred = sample - sample.mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    train_logits, train_latents = outputs["train"]
    codebook = per_class(train_logits, train_latents, dataset.train.labels, protocol)["codebook"]
    most = torch.finfo(torch.float16).max
    return {
        "epoch": np.array(epoch),
        "sample_latents": sample[:, dimensions].clamp(-most, most).numpy().astype(np.float16),
        "sample_pca": (centred @ axes[:2].T).numpy().astype(np.float32),
        "sample_labels": dataset.test.labels.cpu()[points].numpy().astype(np.int16),
        "codebook": codebook.cpu().numpy(),
    }
