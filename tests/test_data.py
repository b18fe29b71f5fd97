"""The three datasets, and what is said where their files are missing or altered."""

import hashlib
import os
import re
import struct
from pathlib import Path
from urllib.error import URLError

import numpy as np
import pytest
import torch
import torchvision.datasets.mnist as torchvision_mnist
from sklearn.datasets import load_digits

from binenc import data
from binenc.profile import ROOT, InputError

FILES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_idx(raw: Path) -> None:
    """Five training and three test images in the format of MNIST."""
    rng = np.random.default_rng(0)
    for part, n in (("train", 5), ("t10k", 3)):
        pixels, labels = rng.integers(256, size=(n, 28, 28)), rng.integers(10, size=n)
        header = struct.pack(">iiii", 2051, n, 28, 28)
        (raw / f"{part}-images-idx3-ubyte").write_bytes(header + pixels.astype(np.uint8).tobytes())
        header = struct.pack(">ii", 2049, n)
        (raw / f"{part}-labels-idx1-ubyte").write_bytes(header + labels.astype(np.uint8).tobytes())


@pytest.fixture
def raw(tmp_path, monkeypatch) -> Path:
    """A tiny MNIST at BINENC_DATA/MNIST/raw, with its checksums."""
    raw = tmp_path / "MNIST/raw"
    raw.mkdir(parents=True)
    write_idx(raw)
    monkeypatch.setenv("BINENC_DATA", str(tmp_path))
    monkeypatch.setitem(data.CHECKSUMS, "MNIST", {file: sha256(raw / file) for file in FILES})
    return raw


@pytest.fixture(autouse=True)
def tried(monkeypatch) -> list[str]:
    """The downloads that torchvision tried: none reaches a network."""
    tried = []

    def no_network(url, **_):
        tried.append(url)
        raise URLError("Name or service\nnot known")

    monkeypatch.setattr(torchvision_mnist, "download_and_extract_archive", no_network)
    return tried


def refused(name: str = "mnist") -> str:
    with pytest.raises(InputError) as caught:
        data.load(name)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_digits_are_all_of_them_in_a_fixed_stratified_split(tried):
    digits = data.load("digits")
    assert (len(digits.train), len(digits.test), digits.side) == (1437, 360, 8)
    assert digits.classes == [str(i) for i in range(10)]
    pixels, labels = load_digits(return_X_y=True)
    images = torch.cat([digits.train.images, digits.test.images])
    assert (images.shape, images.dtype) == ((1797, 1, 8, 8), torch.float32)
    assert (images.min(), images.max()) == (-1, 1)
    found = np.column_stack(
        [(images.flatten(1) + 1) * 8, torch.cat([digits.train.labels, digits.test.labels])]
    )
    given = np.column_stack([pixels, labels])
    assert np.array_equal(found[np.lexsort(found.T)], given[np.lexsort(given.T)])
    share = np.bincount(labels) * 360 / 1797
    assert np.abs(np.bincount(digits.test.labels) - share).max() < 1
    assert digits.train.labels.dtype == torch.int64
    assert digits.checksum == data.load("digits").checksum
    assert digits.checksum == "3726e39710819cd6366cd7ba915f601f2a2af4e959620afa93ebd2cab9a22e60"
    assert not tried


def test_checksum_sees_every_part():
    digits = data.load("digits")
    flipped = data.Split(digits.test.images, digits.test.labels.flip(0))
    assert data.Dataset("digits", digits.train, flipped, digits.classes).checksum != digits.checksum


@pytest.mark.parametrize(
    ("name", "classname", "first"),
    [("mnist", "MNIST", list("0123456789")), ("fashion_mnist", "FashionMNIST", ["T-shirt/top", "Trouser"])],
)
def test_real_files(real_data, tried, name, classname, first):
    said = dict(reversed(line.split()) for line in (real_data / "SHA256SUMS").read_text().splitlines())
    raw = Path(classname, "raw")
    assert data.CHECKSUMS[classname] == {file: said[f"./{raw / file}"] for file in FILES}
    loaded = data.load(name)
    assert loaded.classes[: len(first)] == first
    assert len(loaded.classes) == 10
    assert (loaded.side, (len(loaded.train), len(loaded.test))) == (data.SIDE, data.POINTS)
    for split, part, n in ((loaded.train, "train", 60_000), (loaded.test, "t10k", 10_000)):
        assert (split.images.shape, split.images.dtype) == ((n, 1, 28, 28), torch.float32)
        pixels = np.fromfile(real_data / raw / f"{part}-images-idx3-ubyte", np.uint8)[16:]
        labels = np.fromfile(real_data / raw / f"{part}-labels-idx1-ubyte", np.uint8)[8:]
        assert np.abs(split.images.numpy().ravel()[::97] - (pixels[::97] / 127.5 - 1)).max() < 1e-6
        assert np.array_equal(split.labels, labels)
        assert (split.images.min(), split.images.max()) == (-1, 1)
    assert not tried


def test_tiny_files(raw, tried):
    mnist = data.load("mnist")
    assert (mnist.name, len(mnist.train), len(mnist.test), mnist.side) == ("mnist", 5, 3, 28)
    pixels = np.frombuffer((raw / FILES[2]).read_bytes()[16:], np.uint8).reshape(3, 1, 28, 28)
    assert np.allclose(mnist.test.images, pixels / 127.5 - 1, atol=1e-6)
    assert not tried


def test_what_old_torchvision_left_is_not_read(raw):
    (raw.parent / "processed").mkdir()
    for file in ("training.pt", "test.pt"):
        torch.save(
            (torch.zeros(2, 28, 28, dtype=torch.uint8), torch.zeros(2)), raw.parent / "processed" / file
        )
    assert len(data.load("mnist").train) == 5


def left(path: Path) -> tuple:
    """What changes when a file is written or replaced, not when it is read."""
    stat = path.stat()
    return stat.st_ino, stat.st_size, stat.st_mtime_ns


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("change", [lambda b: b[:-1], lambda b: b[:-1] + bytes([b[-1] ^ 1]), lambda b: b""])
def test_altered_file_is_named_and_left_alone(raw, tried, file, change):
    expected, path = sha256(raw / file), raw / file
    path.write_bytes(change(path.read_bytes()))
    before = left(path)
    said = refused()
    assert all(word in said for word in (str(path), expected, sha256(path), "move it away and run again"))
    assert left(path) == before
    assert not tried


def test_altered_file_beside_a_missing_one_is_not_overwritten(raw, tried):
    (raw / FILES[0]).write_bytes(b"my own")
    (raw / FILES[1]).unlink()
    assert str(raw / FILES[0]) in refused()
    assert (raw / FILES[0]).read_bytes() == b"my own"
    assert not tried


@pytest.mark.parametrize("missing", [FILES, FILES[1:2]])
def test_missing_and_no_network(raw, tried, missing):
    for file in missing:
        (raw / file).unlink()
    said = refused()
    assert said.startswith(f"mnist: {', '.join(missing)} not in {raw}, and the download failed")
    assert all(
        word in said for word in ("Name or service not known", "BINENC_DATA", "`make book` needs none")
    )
    assert tried
    assert {path.name for path in raw.iterdir()} == set(FILES) - set(missing)


def test_missing_folder_that_cannot_be_made(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("BINENC_DATA", str(tmp_path / "file"))
    said = refused("fashion_mnist")
    assert str(tmp_path / "file/FashionMNIST/raw") in said
    assert "`make book` needs none" in said


def test_download_puts_only_what_is_missing(raw, monkeypatch):
    def download(url, download_root, **_):
        write_idx(Path(download_root))

    monkeypatch.setattr(torchvision_mnist, "download_and_extract_archive", download)
    there = left(raw / FILES[0])
    for file in FILES[1:]:
        (raw / file).unlink()
    assert len(data.load("mnist").train) == 5
    assert left(raw / FILES[0]) == there
    assert sorted(path.name for path in raw.iterdir()) == sorted(FILES)


@pytest.mark.parametrize("change", [lambda b: b[:100], lambda b: b[:-1] + bytes([b[-1] ^ 1])])
def test_download_that_goes_wrong_leaves_no_file(raw, monkeypatch, change):
    def broken(url, download_root, **_):
        write_idx(Path(download_root))
        path = Path(download_root) / FILES[0]
        path.write_bytes(change(path.read_bytes()))

    monkeypatch.setattr(torchvision_mnist, "download_and_extract_archive", broken)
    for file in FILES:
        (raw / file).unlink()
    assert "download failed" in refused()
    assert not list(raw.iterdir())


def test_unknown_dataset():
    assert refused("cifar") == "dataset 'cifar': allowed are mnist, fashion_mnist, digits"


@pytest.mark.parametrize(
    ("images", "labels", "said"),
    [
        (torch.rand(3, 1, 8, 8).double(), [0, 1, 1], "images are torch.float64 of shape (3, 1, 8, 8)"),
        (torch.rand(3, 8, 8), [0, 1, 1], "images are torch.float32 of shape (3, 8, 8)"),
        (torch.rand(3, 1, 6, 8), [0, 1, 1], "images are torch.float32 of shape (3, 1, 6, 8)"),
        (torch.rand(2, 1, 8, 8), [0, 1, 1], "images are torch.float32 of shape (2, 1, 8, 8)"),
        (torch.rand(3, 1, 8, 8), [0.0, 1.0, 1.0], "labels are torch.float32 of shape (3,)"),
        (torch.rand(3, 1, 8, 8), [[0], [1], [1]], "labels are torch.int64 of shape (3, 1)"),
        (torch.rand(3, 1, 8, 8), [0, 1, 2], "labels go from 0 to 2"),
        (torch.rand(3, 1, 8, 8), [-1, 0, 1], "labels go from -1 to 1"),
    ],
)
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_dataset_of_ones_own_that_is_no_dataset(images, labels, said, part):
    good = data.Split(torch.rand(4, 1, 8, 8), torch.tensor([0, 1, 1, 0]))
    bad = data.Split(images, torch.tensor(labels))
    splits = {"train": good, "test": good} | {part: bad}
    assert data.Dataset("mine", train=good, test=good, classes=["a", "b"]).side == 8
    with pytest.raises(InputError, match=re.escape(f"dataset 'mine': {part} {said}, allowed are ")):
        data.Dataset("mine", **splits, classes=["a", "b"])


def test_folder(monkeypatch):
    monkeypatch.delenv("BINENC_DATA", raising=False)
    assert data.folder() == ROOT / "data"
    monkeypatch.setenv("BINENC_DATA", "")
    assert data.folder() == ROOT / "data"
    monkeypatch.setenv("BINENC_DATA", "../elsewhere")
    monkeypatch.chdir("/")
    assert data.folder() == ROOT.parent / "elsewhere"
    monkeypatch.setenv("BINENC_DATA", "~/elsewhere")
    assert data.folder() == Path(os.path.expanduser("~/elsewhere"))
