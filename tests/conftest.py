"""Settings and fixtures that several files use."""

import os
from pathlib import Path

import pytest
from hypothesis import settings

from binenc.profile import ROOT, Profile

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
    path = ROOT / (os.environ.get("BINENC_DATA") or "../shared/data")
    if not all((path / name / "raw/train-images-idx3-ubyte").exists() for name in ("MNIST", "FashionMNIST")):
        pytest.skip(f"MNIST and FashionMNIST are not in {path}; BINENC_DATA names another folder")
    monkeypatch.setenv("BINENC_DATA", str(path))
    return path
