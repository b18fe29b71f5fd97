"""All metrics of one evaluation, against scikit-learn's mixtures and loops over classes and dimensions."""

import itertools
import multiprocessing
import statistics
import warnings
from pathlib import Path

import numpy as np
import torch
from scipy.sparse.linalg import svds
from sklearn.mixture import GaussianMixture

from bench.steps import our_step, paper
from bench.timing import interleaved, row
from binenc import data
from binenc.claims.effect import interval
from binenc.metrics import measure
from binenc.profile import Profile, Run
from binenc.protocol import AS_WRITTEN
from binenc.training import forward

SHORT = 31
"""Epochs of the runs that compare bf16 with float32."""
SAMPLE = 8
"""Dimensions on which the baseline's mixtures are fitted; their time is scaled to all."""
NETWORKS = {
    64: ("binary_encoding", {}),
    128: ("linear_penultimate", {"penultimate": 128}),
    2048: ("no_penultimate", {}),
}
"""The architecture, and the changes to the paper's MNIST network, whose latents have so many dimensions."""


def network(d: int) -> Run:
    """A run whose latents have d dimensions."""
    architecture, changes = NETWORKS[d]
    return paper("mnist", architecture, **changes)


def epoch_seconds(d: int, where: torch.device) -> float:
    """What training that run takes an epoch."""
    run = network(d)
    steps = interleaved(ours=our_step(run, where))["ours"]
    return statistics.median(steps) * data.POINTS[0] / run.experiment.batch_size


def outputs(d: int, where: torch.device) -> tuple[torch.Tensor, ...]:
    """Logits, latents (60000, d), labels and the classifier's weights after 30 steps of training on MNIST."""
    step = our_step(network(d), where)
    for _ in range(30):
        model = step()
    split = data.load("mnist").train.to(where)
    logits, latents = forward(model, split.images)
    return logits, latents, split.labels, model.weight.detach()


def metrics_row(d: int, where: torch.device, goals: dict) -> dict:
    """All metrics of d dimensions at 60000 points, seconds."""
    logits, latents, labels, weight = outputs(d, where)
    arrays = [x.cpu().numpy() for x in (logits, latents, labels, weight)]
    dimensions = np.linspace(0, d - 1, SAMPLE).astype(int)
    times = interleaved(
        ours=lambda: measure(logits, latents, labels, weight, AS_WRITTEN),
        loops=lambda: loops(*arrays),
        mixtures=lambda: mixtures(arrays[1][:, dimensions]),
    )
    scaled = zip(times.pop("loops"), times.pop("mixtures"), strict=True)
    times["baseline"] = [a + b * d / SAMPLE for a, b in scaled]
    note = f"The baseline's mixtures were fitted on {SAMPLE} dimensions and their time scaled to {d}."
    if where.type == "cpu":
        note += f" Peak memory beside the latents: {peak(d)} MB."
    return row(f"All metrics, N = 60000, d = {d}", "s", times, 1.0, goals, note)


def peak(d: int) -> int:
    """Megabytes that `measure` adds to what a process holds, on random latents of the same shape."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_peak, (d,))


def _peak(d: int) -> int:
    rng = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 10, (60000,), generator=rng)
    weight = torch.randn(10, d, generator=rng)
    latents = torch.randn(60000, d, generator=rng).relu_()
    logits = torch.nn.functional.one_hot(labels, 10).float()
    small = latents[:500]
    measure(logits[:500], small, labels[:500], weight, AS_WRITTEN)  # libraries take memory once
    Path("/proc/self/clear_refs").write_text("5")  # the peak is from now on
    before = _status("VmRSS")
    measure(logits, latents, labels, weight, AS_WRITTEN)
    return round((_status("VmHWM") - before) / 1024)


def _status(key: str) -> int:
    """Kilobytes that Linux says of this process."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(key))


def mixtures(latents: np.ndarray) -> list[float]:
    """Score and mean standard deviation of a mixture of each dimension, raw and standardised."""
    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of mixtures that end at the last iteration
        for column in latents.T:
            for x in (column, column / max(column.std(), 1e-12)):
                x = x.reshape(-1, 1)
                mixture = GaussianMixture(2, random_state=0).fit(x)
                found += [mixture.score(x), np.sqrt(mixture.covariances_).mean()]
    return found


def loops(logits, latents, labels, weight) -> dict[str, float]:
    """The other metrics of `binenc.metrics`, by their definitions."""
    n_classes, d = weight.shape
    predicted, code = logits.argmax(axis=1), latents > 0
    book, share, agreement, per_class, all_codes = [], [], [], [], set()
    for c in range(n_classes):
        own = code[labels == c]
        distinct, count = np.unique(own, axis=0, return_counts=True)
        book.append(distinct[count.argmax()])
        share.append(count.max() / len(own))
        per_class.append(len(distinct))
        all_codes.update(row.tobytes() for row in distinct)
        for k in range(d):
            f = own[:, k].mean()
            agreement.append(max(f, 1 - f))
    distance = [(a != b).sum() for a, b in itertools.combinations(book, 2)]
    nearest = np.stack([(code != row).sum(axis=1) for row in book], axis=1).argmin(axis=1)

    overall = latents.mean(axis=0)
    means = np.stack([latents[labels == c].mean(axis=0) for c in range(n_classes)])
    within = np.zeros((d, d))
    for c in range(n_classes):
        residual = latents[labels == c] - means[c]
        within += residual.T @ residual / len(residual) / n_classes
    centred = means - overall
    between = centred.T @ centred / n_classes
    vectors, values, _ = svds(between.astype(float), k=n_classes - 1)
    inverse = vectors @ np.diag(1 / values) @ vectors.T
    norms = np.linalg.norm(centred, axis=1)
    cosine = [a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in itertools.combinations(centred, 2)]
    to_mean = np.stack([np.linalg.norm(latents - m, axis=1) for m in means], axis=1)
    return {
        "code_share": np.mean(share),
        "bit_agreement": np.mean(agreement),
        "codes_in_use": len(all_codes),
        "codes_per_class": np.mean(per_class),
        "distinct_codebook_rows": len({row.tobytes() for row in book}),
        "hamming_mean": np.mean(distance),
        "hamming_min": min(distance),
        "codebook_accuracy": (nearest == labels).mean(),
        "accuracy": (predicted == labels).mean(),
        "equinorm": norms.std() / norms.mean(),
        "equiangularity": np.std(cosine),
        "max_angle": np.mean(np.abs(np.array(cosine) + 1 / (n_classes - 1))),
        "tr_sw_sb": np.trace(within @ inverse) / n_classes,
        "within_class_covariance": within.mean(),
        "trace_sw": np.trace(within),
        "nc3": np.linalg.norm(weight / np.linalg.norm(weight) - centred / np.linalg.norm(centred)),
        "nc4": (to_mean.argmin(axis=1) == predicted).mean(),
    }


def precision_effect() -> list[dict]:
    """What `precision: bf16` does to every metric of a short run: paired by seed, on the digits."""
    from binenc.training import train

    finals = {"float32": [], "bf16": []}
    for seed in range(5):
        for precision, found in finals.items():
            name = f"digits_mlp,epochs={SHORT},precision={precision}"
            run = Profile.read("quick").run(name, "as_written", "binary_encoding", seed)
            record, _ = train(run, progress=False)
            found.append(record.last)
    table = []
    for metric, split in finals["float32"][0]:
        full, half = ([found[metric, split] for found in finals[p]] for p in ("float32", "bf16"))
        difference = [b - a for a, b in zip(full, half, strict=True)]
        apart = interval(difference)
        table.append(
            {
                "split": split,
                "metric": metric,
                "float32": statistics.mean(full),
                "float32_std": statistics.stdev(full),
                "bf16": statistics.mean(half),
                "bf16_std": statistics.stdev(half),
                "difference": apart.mean,
                "difference_low": apart.low,
                "difference_high": apart.high,
                "difference_std": statistics.stdev(difference),
                "seeds": len(full),
                "epochs": SHORT,
            }
        )
    return table
