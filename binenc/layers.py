"""The layers of a network as its device computes them fastest: the same parameters and the same function."""

import ctypes
import platform

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LARGE = 2**17
"""Weights from which a linear layer gains from oneDNN, at batches of 64 and conversions included."""


def suited_to(where: torch.device, model: nn.Module, precision: str) -> nn.Module:
    """The same network, moved to its device and laid out as it is fastest there."""
    if where.type == "cpu":
        keep_freed_memory()
        model.apply(use_cheap_dropout)
        if precision != "bf16" and torch.backends.mkldnn.is_available():  # bf16 is oneDNN's already
            model.apply(use_onednn)
    if where.type == "cpu" or precision != "float32":
        model = model.to(memory_format=torch.channels_last)
    return model.to(where)


class CheapDropout(nn.Module):
    """`nn.Dropout` for the CPU, where drawing the mask costs more than the layer: four entries a draw.

    The rate is rounded to a multiple of 1 / 65536.
    """

    def __init__(self, rate: float):
        super().__init__()
        dropped = min(round(rate * 2**16), 2**16 - 1)
        self.threshold, self.scale = dropped - 2**15, 2**16 / (2**16 - dropped)

    def forward(self, x: Tensor) -> Tensor:
        if not self.training:
            return x
        bits = torch.empty((x.numel() + 3) // 4, dtype=torch.int64).random_(-(2**63), None)
        bits = bits.view(torch.int16)[: x.numel()].view(x.shape)
        keep = torch.ge(bits, self.threshold, out=torch.empty_like(x))
        return x * keep.mul_(self.scale)


class OneDNNLinear(nn.Linear):
    """`nn.Linear` by oneDNN: torch takes MKL, which leaves the AVX-512 of AMD's processors unused.

    It shares the parameters of the layer that it is made of.
    """

    def __init__(self, layer: nn.Linear):
        super().__init__(layer.in_features, layer.out_features, device="meta")  # draws no random numbers
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x.to_mkldnn(), self.weight, self.bias).to_dense()


def use_cheap_dropout(module: nn.Module) -> None:
    """Replace the dropout layers directly in a module."""
    for name, child in module.named_children():
        if isinstance(child, nn.Dropout):
            setattr(module, name, CheapDropout(child.p))


def use_onednn(module: nn.Module) -> None:
    """Replace the large linear layers directly in a module."""
    for name, child in module.named_children():
        if isinstance(child, nn.Linear) and child.weight.numel() >= LARGE:
            setattr(module, name, OneDNNLinear(child))


def keep_freed_memory() -> None:
    """Let glibc reuse what a step frees; returned to the system, it is cleared again at every step."""
    M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
    if platform.libc_ver()[0] == "glibc":
        libc = ctypes.CDLL(None)
        libc.mallopt(M_MMAP_THRESHOLD, 32 << 20)
        libc.mallopt(M_TRIM_THRESHOLD, 512 << 20)
