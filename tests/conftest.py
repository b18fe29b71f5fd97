"""Settings and fixtures that several files use."""

import json
import os
from pathlib import Path

import pytest
from drawn import save_all
from hypothesis import settings
from stored import make
from synthetic import synthetic

from binenc import records
from binenc.commands import exchange
from binenc.profile import Profile, Run

os.environ.setdefault("BINENC_DEVICE", "cpu")
os.environ.setdefault("MPLBACKEND", "Agg")
settings.register_profile("binenc", deadline=None, derandomize=True)
settings.load_profile("binenc")


@pytest.fixture(scope="session")
def smoke() -> Profile:
    return Profile.read("smoke")


@pytest.fixture
def real_data(monkeypatch) -> Path:
    """Folder of the real MNIST and FashionMNIST, which `binenc.data` then reads."""
    from binenc import data

    path = data.folder()
    if not all((path / name / "raw/train-images-idx3-ubyte").exists() for name in ("MNIST", "FashionMNIST")):
        pytest.skip(f"MNIST and FashionMNIST are not in {path}; BINENC_DATA names another folder")
    monkeypatch.setenv("BINENC_DATA", str(path))
    return path


@pytest.fixture
def one_thread():
    """Small networks on two threads wait for each other, the more so where tests run side by side."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def latents():
    """Of each architecture, after a short training."""
    from points import trained_latents

    return trained_latents()


@pytest.fixture
def results(tmp_path, monkeypatch) -> Path:
    """Where `binenc.records` then looks for records: nowhere yet."""
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def run(smoke) -> Run:
    return smoke.run("digits_mlp", "as_written", "binary_encoding", 0)


@pytest.fixture
def saved(results, smoke, run) -> Path:
    """The folder of a record of `run`."""
    path = records.folder(smoke, run)
    records.save(make(run), path)
    return path


@pytest.fixture
def made(results, smoke) -> dict[str, records.Record]:
    """Records of all runs of the smoke profile, by id, saved."""
    return save_all(smoke)


@pytest.fixture
def pages(made, smoke, tmp_path):
    """The pages of those runs, with the time and memory that papermill noted, all in one file."""
    from pipeline.stage import Page

    path = tmp_path / "page.ipynb"
    path.write_text(json.dumps({"metadata": {"papermill": {"duration": 12.34, "memory_mib": 567}}}))
    return [Page(smoke, run, path, made[run.id]) for run in smoke.all_runs()]


@pytest.fixture
def shown(tmp_path, monkeypatch) -> list[dict]:
    """What was displayed; files go to ``tmp_path / "figures"``."""
    import matplotlib.pyplot as plt

    from binenc.figures import style

    bundles = []
    plt.close("all")
    monkeypatch.setenv("BINENC_FIGURES", str(tmp_path / "figures"))
    monkeypatch.setattr(style, "display", lambda bundle, raw: bundles.append(bundle))
    yield bundles
    assert plt.get_fignums() == []  # no figure is left open


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty results folder."""
    monkeypatch.setattr(records, "RESULTS", tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def packed(tmp_path, monkeypatch, smoke) -> Path:
    """Three of the smoke profile's records, exported on another machine."""
    with monkeypatch.context() as patch:
        patch.setattr(records, "RESULTS", tmp_path / "there")
        for run in smoke.all_runs()[:3]:
            records.save(synthetic(run), records.folder(smoke, run), weights=None)
        (tmp_path / "there/smoke" / smoke.all_runs()[0].id / "weights.safetensors").write_bytes(b"large")
        exchange.export(smoke, tmp_path / "smoke.tar")
    return tmp_path / "smoke.tar"


@pytest.fixture
def export_instead(packed, tmp_path, monkeypatch, smoke):
    """Export again, with another record of the first run."""

    def export(record: records.Record) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(records, "RESULTS", tmp_path / "there")
            records.save(record, records.folder(smoke, smoke.all_runs()[0]))
            exchange.export(smoke, packed)

    return export
