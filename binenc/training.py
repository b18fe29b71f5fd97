"""Train one run and measure it: the loop, on the CPU or a GPU."""

import math
import os
import time
from collections.abc import Callable

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from binenc import data, records
from binenc.loss import binary_loss, cross_entropy, total_loss
from binenc.metrics import measure, per_class
from binenc.models import WITH_BINARY_LOSS, build, n_parameters
from binenc.profile import InputError, Profile, Run
from binenc.provenance import provenance

SNAPSHOT_EPOCHS = (0, 5, 10, 20, 40, 60, 80, 100)
SNAPSHOT_POINTS, SNAPSHOT_DIMENSIONS = 200, 64


class TrainingDiverged(RuntimeError):
    """The loss is no longer finite."""


def find_or_train(profile: Profile, run: Run, progress: bool = True) -> records.Record:
    """The run's record; trained and saved first if there is none."""
    record = records.find(profile, run)
    if record is None:
        record, weights = train(run, progress=progress)
        records.save(record, records.folder(profile, run), weights)
    return record


def device() -> torch.device:
    """CUDA where present, else the CPU; ``BINENC_DEVICE`` overrides."""
    name = os.environ.get("BINENC_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (index and not index.isdecimal()) or name.endswith(":"):
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
    e, protocol = run.experiment, run.protocol
    dataset = data.load(e.dataset)
    checksum = dataset.checksum
    dataset = dataset.to(where)

    torch.manual_seed(run.seed)
    order = torch.Generator().manual_seed(run.seed)
    model = build(run, dataset.side, len(dataset.classes)).to(where, memory_format=torch.channels_last)
    gamma = e.gamma if run.architecture in WITH_BINARY_LOSS else 0.0
    learning_rate = torch.tensor(e.learning_rate, device=where)
    optimizer = torch.optim.Adam(
        model.parameters(), lr=learning_rate, fused=True, capturable=where.type == "cuda"
    )
    step = make_step(model, optimizer, gamma, protocol, e.precision)

    rows, snapshots, last_finite = [], [], "none"
    seconds = {"training": 0.0, "evaluation": 0.0}
    with tqdm(range(e.epochs), desc=run.id, unit="epoch", disable=not progress) as epochs:
        for epoch in epochs:
            if protocol.learning_rate == "halved":
                learning_rate.fill_(e.learning_rate * 0.5 ** (epoch // e.halve_every))
            model.train(protocol.dropout == "every_epoch" or epoch == 0)
            began = time.perf_counter()
            loss, accuracy = train_epoch(step, dataset.train, order, e.batch_size)
            trained = time.perf_counter()
            rows += [(epoch, "train", "epoch_loss", loss), (epoch, "train", "epoch_accuracy", accuracy)]
            outputs = {}
            if epoch in e.evaluated:
                outputs = {name: forward(model, getattr(dataset, name).images) for name in ("train", "test")}
            if not (math.isfinite(loss) and all(logits.isfinite().all() for logits, _ in outputs.values())):
                raise TrainingDiverged(
                    f"{run.id}: the loss is no longer finite in epoch {epoch} (mean {loss:.4g}); last finite "
                    f"values: {last_finite}. Lower learning_rate ({e.learning_rate}) or gamma ({e.gamma})."
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
    for key, value in per_class(latents, logits, dataset.test.labels, protocol).items():
        arrays[f"test_{key}"] = value.cpu().numpy()
    content = {
        "id": run.id,
        "title": run.title,
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


def train_epoch(step: Callable, split: data.Split, order: torch.Generator, batch_size: int) -> tuple:
    """One pass over the training points in random order; the mean loss and accuracy on the way.

    The points are shuffled once, so that a batch is a view; nothing waits for the device before the end.
    """
    where = split.labels.device
    totals = torch.zeros((), device=where), torch.zeros((), dtype=torch.long, device=where)
    shuffled = torch.randperm(len(split), generator=order).to(where)
    images, labels = split.images[shuffled], split.labels[shuffled]
    for batch in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        loss, correct = step(*batch)
        totals[0].add_(loss, alpha=len(batch[1]))
        totals[1].add_(correct)
    return totals[0].item() / len(split), totals[1].item() / len(split)


def make_step(model: nn.Module, optimizer, gamma: float, protocol, precision: str = "float32") -> Callable:
    """The training step: (images, labels) of a batch to (mean loss, number of correct labels)."""

    def step(images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=precision == "bf16"):
            logits, latents = model(images)
        loss = total_loss(logits.float(), latents.float(), labels, gamma, protocol)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        return loss.detach(), (logits.detach().argmax(1) == labels).sum()

    return step


@torch.inference_mode()
def forward(model: nn.Module, images: Tensor, batch_size: int = 1000) -> tuple[Tensor, Tensor]:
    """Logits (N, C) and latents (N, d) of all images, in evaluation mode and float32."""
    model.eval()
    logits, latents = zip(*(model(part) for part in images.split(batch_size)), strict=True)
    return torch.cat(logits), torch.cat(latents)


@torch.inference_mode()
def evaluate(logits, latents, labels, model, gamma, protocol) -> dict[str, float]:
    """All metrics of one evaluation of one split, and the terms of Eq. 1."""
    return {
        "loss": total_loss(logits, latents, labels, gamma, protocol).item(),
        "cross_entropy": cross_entropy(logits, labels, protocol.softmax_twice).item(),
        "loss_bin": binary_loss(latents, protocol.loss_bin).item(),
    } | measure(latents, logits, labels, model.classifier.weight, protocol)


def snapshot(epoch: int, outputs: dict, dataset: data.Dataset, protocol) -> dict[str, np.ndarray]:
    """Latents of a fixed sample of test points, their plane of largest variance, and the codebook."""
    _, latents = outputs["test"]
    points = torch.linspace(0, len(latents) - 1, min(SNAPSHOT_POINTS, len(latents))).long()
    d = latents.shape[1]
    dimensions = torch.linspace(0, d - 1, min(SNAPSHOT_DIMENSIONS, d)).long()
    sample = latents[points.to(latents.device)].cpu().double()
    centred = sample - sample.mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    train_logits, train_latents = outputs["train"]
    codebook = per_class(train_latents, train_logits, dataset.train.labels, protocol)["codebook"]
    return {
        "epoch": np.array(epoch),
        "sample_latents": sample[:, dimensions].numpy().astype(np.float16),
        "sample_pca": (centred @ axes[:2].T).numpy().astype(np.float32),
        "sample_labels": dataset.test.labels.cpu()[points].numpy().astype(np.int8),
        "codebook": codebook.cpu().numpy(),
    }
