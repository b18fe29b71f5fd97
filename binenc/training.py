"""Train one run and measure it: the loop, on the CPU or a GPU."""

import os
import platform
import subprocess
import time
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import torch
from torch import Tensor, nn
from tqdm import tqdm

from binenc import data, records
from binenc.loss import binary_loss, cross_entropy, total_loss
from binenc.metrics import measure, per_class
from binenc.models import WITH_BINARY_LOSS, build, n_parameters
from binenc.profile import ROOT, InputError, Profile, Run

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
    if name.split(":")[0] not in ("cpu", "cuda"):
        raise InputError(f"BINENC_DEVICE {name!r}: allowed are cpu, cuda, cuda:0, cuda:1, ...")
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise InputError(f"BINENC_DEVICE {name!r}: torch sees no GPU on this machine; allowed is cpu")
    return torch.device(name)


def train(run: Run, progress: bool = True) -> tuple[records.Record, dict[str, Tensor]]:
    """Train a run from its seed; return its record and the final weights.

    Raises
    ------
    TrainingDiverged
        If the loss of an epoch is not finite.
    """
    started, where = time.perf_counter(), device()
    e, protocol = run.experiment, run.protocol
    dataset = data.load(e.dataset)
    checksum = dataset.checksum
    dataset = dataset.to(where)

    torch.manual_seed(run.seed)
    order = torch.Generator().manual_seed(run.seed)
    model = build(run, dataset.side, len(dataset.classes)).to(where)
    gamma = e.gamma if run.architecture in WITH_BINARY_LOSS else 0.0
    optimizer = torch.optim.Adam(model.parameters(), lr=e.learning_rate, fused=True)

    rows, snapshots = [], []
    with tqdm(range(e.epochs), desc=run.id, unit="epoch", disable=not progress) as epochs:
        for epoch in epochs:
            if protocol.learning_rate == "halved":
                for group in optimizer.param_groups:
                    group["lr"] = e.learning_rate * 0.5 ** (epoch // e.halve_every)
            model.train(protocol.dropout == "every_epoch" or epoch == 0)
            loss, accuracy = train_epoch(model, optimizer, dataset.train, order, e.batch_size, gamma, protocol)
            if not np.isfinite(loss):
                raise TrainingDiverged(
                    f"{run.id}: the loss is {loss} in epoch {epoch}; the last finite values were "
                    f"{_last(rows)}. Lower learning_rate ({e.learning_rate}) or gamma ({e.gamma})."
                )
            rows += [(epoch, "train", "epoch_loss", loss), (epoch, "train", "epoch_accuracy", accuracy)]
            if epoch in e.evaluated:
                outputs = {}
                for name in ("train", "test"):
                    split = getattr(dataset, name)
                    outputs[name] = forward(model, split.images)
                    values = evaluate(*outputs[name], split.labels, model, gamma, protocol)
                    rows += [(epoch, name, metric, value) for metric, value in values.items()]
                if epoch in SNAPSHOT_EPOCHS or epoch == e.epochs - 1:
                    snapshots.append(snapshot(epoch, outputs, dataset, protocol))
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
    } | provenance(where)
    history = pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])
    weights = {name: w.detach().cpu().contiguous() for name, w in model.state_dict().items()}
    return records.Record(content, history, arrays), weights


def train_epoch(model, optimizer, split, order, batch_size, gamma, protocol) -> tuple[float, float]:
    """One pass over the training points in random order; the mean loss and accuracy on the way."""
    where = split.labels.device
    loss_sum, correct = torch.zeros((), device=where), torch.zeros((), device=where)
    for batch in torch.randperm(len(split), generator=order).to(where).split(batch_size):
        images, labels = split.images[batch], split.labels[batch]
        logits, latents = model(images)
        loss = total_loss(logits, latents, labels, gamma, protocol)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
        loss_sum += loss.detach() * len(batch)
        correct += (logits.detach().argmax(1) == labels).sum()
    return (loss_sum / len(split)).item(), (correct / len(split)).item()


@torch.inference_mode()
def forward(model: nn.Module, images: Tensor, batch_size: int = 2000) -> tuple[Tensor, Tensor]:
    """Logits (N, C) and latents (N, d) of all images, in evaluation mode."""
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
    logits, latents = outputs["test"]
    points = torch.linspace(0, len(latents) - 1, min(SNAPSHOT_POINTS, len(latents))).long()
    d = latents.shape[1]
    dimensions = torch.linspace(0, d - 1, min(SNAPSHOT_DIMENSIONS, d)).long()
    sample = latents[points].cpu().double()
    centred = sample - sample.mean(0)
    _, _, axes = torch.linalg.svd(centred, full_matrices=False)
    train_logits, train_latents = outputs["train"]
    codebook = per_class(train_latents, train_logits, dataset.train.labels, protocol)["codebook"]
    return {
        "epoch": np.array(epoch),
        "sample_latents": sample[:, dimensions].numpy().astype(np.float16),
        "sample_pca": (centred @ axes[:2].T).numpy().astype(np.float32),
        "sample_labels": dataset.test.labels[points].cpu().numpy().astype(np.int8),
        "codebook": codebook.cpu().numpy(),
    }


def provenance(where: torch.device) -> dict:
    """Commit, date, device and versions: where a record comes from."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    return {
        "commit": git("rev-parse", "HEAD"),
        "dirty": bool(git("status", "--porcelain", "--", "binenc", "profiles")),
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "device": torch.cuda.get_device_name(where) if where.type == "cuda" else processor(),
        "threads": torch.get_num_threads(),
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def processor() -> str:
    """Name of the CPU."""
    try:
        with open("/proc/cpuinfo") as lines:
            return next(x.split(":", 1)[1].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _last(rows: list[tuple]) -> str:
    finite = [f"{metric} {value:.4g} (epoch {epoch})" for epoch, _, metric, value in rows[-2:]]
    return ", ".join(finite) or "none"
