"""Records that no training made, for tests of what is done with records."""

import numpy as np
import pandas as pd

from binenc import records
from binenc.profile import Run

METRICS = ("loss", "accuracy", "std", "code_share", "loss_bin")


def synthetic(run: Run, values: dict | None = None, **changes) -> records.Record:
    """A record of the run, with what `binenc.training.train` writes.

    ``values`` maps (metric, split) to the final value; the others are drawn from the run's seed.
    ``changes`` are of run.json.
    """
    draw = np.random.default_rng([run.seed, *run.architecture.encode()])
    rows = [
        (epoch, split, metric, float(draw.normal(1, 0.01)))
        for epoch in run.experiment.evaluated
        for split in ("train", "test")
        for metric in METRICS
    ]
    history = pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])
    for (metric, split), value in (values or {}).items():
        last = (history.epoch == history.epoch.max()) & (history.split == split) & (history.metric == metric)
        history.loc[last, "value"] = value
    content = {
        "id": run.id,
        "title": run.title,
        "status": "complete",
        "configuration": run.configuration,
        "code": records.code_version(),
        "n_parameters": 10,
        "classes": ["0", "1"],
        "data_checksum": "d" * 64,
        "wall_seconds": 1.0,
        "commit": "c" * 40,
        "dirty": False,
        "date": "2020-02-20T20:20:20+00:00",
        "device": "a machine far away",
        "threads": 2,
        "versions": {"python": "3.11.0", "torch": "2.9.0", "numpy": "2.0.0"},
    }
    n = len(run.experiment.evaluated)
    arrays = {
        "epoch": np.array(run.experiment.evaluated),
        "sample_latents": draw.normal(size=(n, 6, 4)),
        "sample_pca": draw.normal(size=(n, 6, 2)),
        "sample_labels": np.tile(np.arange(6) % 2, (n, 1)),
        "codebook": draw.random((n, 2, 4)) > 0.5,
        "test_codebook": draw.random((2, 4)) > 0.5,
        "test_class_means": draw.normal(size=(2, 4)),
        "test_class_count": np.array([3, 3]),
        "test_class_code_share": np.array([1.0, 0.5]),
        "test_class_accuracy": np.array([1.0, 0.75]),
    }
    return records.Record(content | changes, history, arrays)
