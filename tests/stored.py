"""A record to store, and whether what is read is the same."""

import numpy as np
import pandas as pd

from binenc import records
from binenc.records import Record


def make(run, value: float = 0.5) -> Record:
    epochs = [(e, s, "accuracy", float(value + e)) for e in (0, 5, 3) for s in ("train", "test")]
    return Record(
        {"id": run.id, "configuration": run.configuration, "code": records.code_version()},
        pd.DataFrame(epochs, columns=["epoch", "split", "metric", "value"]),
        {"codebook": np.eye(3, dtype=bool), "latents": np.arange(6, dtype=np.float16).reshape(2, 3)},
    )


def same(a: Record, b: Record) -> bool:
    pd.testing.assert_frame_equal(a.history, b.history)
    assert a.arrays.keys() == b.arrays.keys()
    for name, array in a.arrays.items():
        np.testing.assert_array_equal(array, b.arrays[name])
        assert array.dtype == b.arrays[name].dtype
    return a.run == b.run
