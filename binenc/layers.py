"""The layers of a network as its device computes them fastest: the same parameters and the same function."""

import ctypes
import platform

import torch
from torch import Tensor, nn

LARGE = 2**17
"""Weights from which a linear layer gains from oneDNN, at batches of 64."""


def suited_to(where: torch.device, model: nn.Module, precision: str) -> nn.Module:
    """The same network, moved to its device and laid out as it is fastest there."""
    if where.type == "cpu":
        keep_freed_memory()
        model.apply(use_cheap_dropout)
        there = torch.backends.mkldnn.is_available() and hasattr(torch.ops.mkldnn, "_linear_pointwise")
        if there and precision != "bf16":  # which is oneDNN's already
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
        return _OneDNNProduct.apply(x, self.weight, self.bias)


class _OneDNNProduct(torch.autograd.Function):
    """x W^T + b and its gradients, by the operator that torch.compile writes for a linear layer.

    Torch promises nothing of it, so `suited_to` asks whether it is there. By `Tensor.to_mkldnn`, which is
    public, the gradient of W is copied once more, and a step of the paper's MLP takes 15 % longer.
    """

    @staticmethod
    def forward(ctx, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        ctx.save_for_backward(x, weight)
        return _product(x, weight, bias)

    @staticmethod
    def backward(ctx, g: Tensor) -> tuple[Tensor | None, Tensor, Tensor]:
        x, weight = ctx.saved_tensors
        to_x = _product(g, weight.t()) if ctx.needs_input_grad[0] else None
        return to_x, _product(g.t(), x.t()), g.sum(dim=0)


def _product(a: Tensor, b: Tensor, bias: Tensor | None = None) -> Tensor:
    """A b^T, plus a row."""
    return torch.ops.mkldnn._linear_pointwise(a, b, bias, "none", [], "")


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
