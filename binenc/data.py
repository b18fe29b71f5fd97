"""The three datasets as tensors: MNIST, FashionMNIST, and the digits embedded in scikit-learn."""

import hashlib
import os
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from binenc.profile import ROOT, InputError

CLASSNAMES = {"mnist": "MNIST", "fashion_mnist": "FashionMNIST"}
"""In torchvision, which names folders so, too."""
CHECKSUMS = {
    "MNIST": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    "FashionMNIST": {
        "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
}
"""SHA-256 of the raw, uncompressed files."""
SIDE, POINTS = 28, (60_000, 10_000)
"""Pixels of an edge, and training and test images, of MNIST and FashionMNIST both."""


@dataclass(frozen=True)
class Split:
    """Images of shape (N, 1, H, W), float32 in [-1, 1], and labels of shape (N,), int64."""

    images: Tensor
    labels: Tensor

    def to(self, device: torch.device | str) -> "Split":
        return Split(self.images.to(device), self.labels.to(device))

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A training and a test split, the names of the classes, and the checksum of both splits.

    Raises
    ------
    InputError
        If a split is not what `Split` says: square images of one side, and labels that number the classes.
    """

    name: str
    train: Split
    test: Split
    classes: list[str]

    def __post_init__(self):
        for part in ("train", "test"):
            split = getattr(self, part)
            images, labels, n = split.images, split.labels, len(split)
            shape, last = (n, 1, self.side, self.side), len(self.classes) - 1
            if (images.dtype, images.shape) != (torch.float32, shape):
                found = f"images are {images.dtype} of shape {tuple(images.shape)}"
                self._refuse(part, found, f"torch.float32 of shape {shape}")
            if (labels.dtype, labels.shape) != (torch.int64, (n,)):
                found = f"labels are {labels.dtype} of shape {tuple(labels.shape)}"
                self._refuse(part, found, f"torch.int64 of shape {(n,)}")
            if n == 0 or labels.min() < 0 or labels.max() > last:
                found = f"labels go from {labels.min()} to {labels.max()}" if n else "labels are none"
                self._refuse(part, found, f"0 to {last}, for {last + 1} names of classes")

    def _refuse(self, part: str, found: str, allowed: str) -> None:
        raise InputError(f"dataset {self.name!r}: {part} {found}, allowed are {allowed}")

    @property
    def side(self) -> int:
        return self.train.images.shape[-1]

    @property
    def checksum(self) -> str:
        """SHA-256 over all images and labels, as tensors."""
        digest = hashlib.sha256()
        for split in (self.train, self.test):
            digest.update(split.images.cpu().numpy().tobytes())
            digest.update(split.labels.cpu().numpy().tobytes())
        return digest.hexdigest()

    def to(self, device: torch.device | str) -> "Dataset":
        return Dataset(self.name, self.train.to(device), self.test.to(device), self.classes)


def folder() -> Path:
    """Folder of the datasets, in torchvision's layout: ``BINENC_DATA``, or ``data`` in the repository."""
    return (ROOT / Path(os.environ.get("BINENC_DATA") or "data").expanduser()).resolve()


def available(name: str) -> bool:
    """Whether a data set can be read without a download."""
    if name not in CLASSNAMES:
        return True
    raw = folder() / CLASSNAMES[name] / "raw"
    return all((raw / file).is_file() for file in CHECKSUMS[CLASSNAMES[name]])


def load(name: str) -> Dataset:
    """Load a dataset as tensors, pixels scaled from [0, 1] by (x - 0.5) / 0.5.

    Raises
    ------
    InputError
        If the dataset is unknown, its files are altered, or it is missing and cannot be downloaded.
    """
    if name not in DATASETS:
        raise InputError(f"dataset {name!r}: allowed are {', '.join(DATASETS)}")
    return DATASETS[name]()


def _digits() -> Dataset:
    """8 x 8 digits (UCI), with a fixed stratified split into 1437 and 360 points."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    pixels, labels = load_digits(return_X_y=True)
    parts = train_test_split(pixels, labels, test_size=360, stratify=labels, random_state=0)
    train_x, test_x, train_y, test_y = map(torch.from_numpy, parts)
    return Dataset(
        "digits",
        _split(train_x.view(-1, 8, 8) / 16, train_y),
        _split(test_x.view(-1, 8, 8) / 16, test_y),
        [str(i) for i in range(10)],
    )


def _torchvision(name: str) -> Dataset:
    from torchvision import datasets

    classname = CLASSNAMES[name]
    kind, raw = getattr(datasets, classname), folder() / classname / "raw"
    for file in CHECKSUMS[classname]:
        if (raw / file).is_file():
            _verify(
                raw / file, CHECKSUMS[classname][file], "; move it away and run again to download it anew"
            )
    if not available(name):
        _download(name, kind, raw)

    def read(part: str) -> Split:
        # Not through kind(...), which prefers what older versions of torchvision left beside the raw files.
        pixels = datasets.mnist.read_image_file(raw / f"{part}-images-idx3-ubyte")
        return _split(pixels / 255, datasets.mnist.read_label_file(raw / f"{part}-labels-idx1-ubyte"))

    classes = [label.split(" - ")[0] if classname == "MNIST" else label for label in kind.classes]
    return Dataset(name, read("train"), read("t10k"), classes)


def _verify(path: Path, expected: str, advice: str = "") -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != expected:
        raise InputError(
            f"{path}: SHA-256 is {found}, expected {expected}, so the file is altered or truncated{advice}"
        )


def _download(name: str, kind: type, raw: Path) -> None:
    """Download into a temporary folder and rename the missing files into place: none is seen half-written."""
    missing = [file for file in CHECKSUMS[kind.__name__] if not (raw / file).is_file()]
    try:
        raw.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=raw) as draft:
            kind(draft, download=True)
            for file in missing:
                fresh = Path(draft, kind.__name__, "raw", file)
                _verify(fresh, CHECKSUMS[kind.__name__][file])
                fresh.rename(raw / file)
    except Exception as error:
        said = " ".join(str(error).split())
        raise InputError(
            f"{name}: {', '.join(missing)} not in {raw}, and the download failed ({said}). Put the "
            f"uncompressed files there, or set BINENC_DATA to a folder whose {kind.__name__}/raw holds them. "
            "`make book` needs none of them."
        ) from None


def _split(pixels: Tensor, labels: Tensor) -> Split:
    """Pixels in [0, 1] of shape (N, H, W) to images in [-1, 1]."""
    return Split(((pixels.float() - 0.5) / 0.5).unsqueeze(1).contiguous(), labels.long())


DATASETS = {name: partial(_torchvision, name) for name in CLASSNAMES} | {"digits": _digits}
