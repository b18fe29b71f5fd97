"""Records with everything that figures and tables read, made without a training."""

import numpy as np
import pandas as pd
from synthetic import synthetic

from binenc import records
from binenc.profile import Profile, Run
from binenc.text.words import METRICS

CLASSES, POINTS, DIMENSIONS = 4, 40, 6


def drawn(run: Run) -> records.Record:
    """A record of the run: every metric at every evaluated epoch, latents at each, a codebook with a pair.

    No test point counts to the first class.
    """
    draw = np.random.default_rng([run.seed, *run.id.encode()])
    epochs = run.experiment.evaluated
    rows = [
        (epoch, split, metric, float(10 ** draw.uniform(-4, 0)))
        for epoch in epochs
        for split in ("train", "test")
        for metric in METRICS
    ]
    rows += [(e, "train", m, float(draw.random())) for e in epochs for m in ("epoch_loss", "epoch_accuracy")]
    labels = np.arange(POINTS) % CLASSES
    latents = draw.normal(size=(len(epochs), POINTS, DIMENSIONS)).astype(np.float16)
    latents[:, :, 0] = 0
    codebook = draw.random((len(epochs), CLASSES, DIMENSIONS)) > 0.5
    codebook[:, 1] = codebook[:, 0]
    arrays = {
        "epoch": np.array(epochs),
        "sample_latents": latents,
        "sample_pca": draw.normal(size=(len(epochs), POINTS, 2)).astype(np.float32),
        "sample_labels": np.tile(labels, (len(epochs), 1)).astype(np.int16),
        "codebook": codebook,
        "test_codebook": draw.random((CLASSES, DIMENSIONS)) > 0.5,
        "test_class_means": draw.normal(size=(CLASSES, DIMENSIONS)),
        "test_class_count": np.array([0, 5, 5, 5]),
        "test_class_code_share": np.array([np.nan, *draw.random(CLASSES - 1)]),
        "test_class_accuracy": np.array([np.nan, *draw.random(CLASSES - 1)]),
    }
    values = {("train", "distinct_codebook_rows"): float(len(np.unique(codebook[-1], axis=0)))}
    made = synthetic(run, classes=[f"class {c}" for c in range(CLASSES)])
    history = pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])
    for (split, metric), value in values.items():
        history.loc[(history.split == split) & (history.metric == metric), "value"] = value
    return records.Record(made.run, history, arrays)


def save_all(profile: Profile, runs: list[Run] | None = None) -> dict[str, records.Record]:
    """Save records of the runs (of all, unless some are given) where `binenc.records` looks for them."""
    made = {run.id: drawn(run) for run in runs or profile.all_runs()}
    for run in runs or profile.all_runs():
        records.save(made[run.id], records.folder(profile, run))
    return made


def options(bundle: dict) -> dict[str, str]:
    """The options of the directive in what was displayed, as MyST reads them."""
    from myst_parser.parsers.options import options_to_items

    lines = [line[1:] for line in bundle["text/markdown"].splitlines() if line.startswith(":")]
    return dict(options_to_items("\n".join(lines).replace("::{table}", ""))[0])
