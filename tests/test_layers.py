"""The layers of a CPU against torch's own."""

import math

import pytest
import torch
from torch import nn

from binenc import layers
from binenc.models import build
from binenc.profile import Profile


@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_cheap_dropout_is_dropout(rate):
    torch.manual_seed(0)
    layer, x = layers.CheapDropout(rate), torch.rand(401, 503, requires_grad=True)
    assert torch.equal(layer.eval()(x), x)
    out = layer.train()(x)
    kept = out != 0
    torch.testing.assert_close(out[kept], x[kept] / (1 - rate), rtol=1e-4, atol=0)
    n, p = x.numel(), 1 - rate
    for lane in range(4):  # the four entries of a draw are alike and independent
        share = kept.flatten()[lane::4].float().mean().item()
        assert abs(share - p) <= 5 * math.sqrt(p * (1 - p) / (n / 4)) + 2**-16
        both = (kept.flatten()[lane : n - 3] & kept.flatten()[lane + 1 : n - 2])[::4].float().mean().item()
        assert abs(both - p * p) <= 5 * math.sqrt(p * p * (1 - p * p) / (n / 4)) + 2**-15
    out.sum().backward()
    torch.testing.assert_close(x.grad, kept / (1 - rate), rtol=1e-4, atol=0)
    assert not torch.equal(layer(x) != 0, kept) or rate == 0
    assert layer(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize(("n_in", "n_out"), [(784, 512), (2048, 64)])
def test_onednn_linear_is_linear(n_in, n_out):
    """Output and gradients, to the rounding of sums of so many products; of a view and of the layer's own."""
    torch.manual_seed(0)
    layer = nn.Linear(n_in, n_out)
    ours, x = layers.OneDNNLinear(layer), torch.randn(70, n_in)[3:]
    weights, sides = torch.randn(67, n_out), []
    for side in (layer, ours):
        given = x.clone().requires_grad_()
        out = side(given)
        layer.zero_grad()
        (out * weights).sum().backward()
        sides.append([out.detach(), given.grad, layer.weight.grad, layer.bias.grad])
    for expected, got in zip(*sides, strict=True):
        torch.testing.assert_close(got, expected, rtol=1e-5, atol=1e-5 * expected.abs().max().item())
    with torch.inference_mode():
        torch.testing.assert_close(ours(x), layer(x), rtol=1e-5, atol=1e-5)


def test_replacing_layers_changes_neither_parameters_nor_what_is_drawn_next():
    """Large layers only, with the same parameters under the same names."""
    run = Profile.read("paper").run("mnist", "as_written", "binary_encoding", 0)
    torch.manual_seed(0)
    plain = build(run, 28, 10)
    state, drawn = torch.get_rng_state(), dict(plain.named_parameters())
    suited = layers.suited_to(torch.device("cpu"), plain, "float32")
    assert torch.equal(torch.get_rng_state(), state)
    kept = dict(suited.named_parameters())
    assert list(kept) == list(drawn)
    assert all(kept[name] is drawn[name] for name in drawn)
    sizes = {type(m): [] for m in suited.modules()}
    for m in suited.modules():
        if isinstance(m, nn.Linear):
            sizes[type(m)].append(m.weight.numel())
    assert len(sizes[layers.OneDNNLinear]) == 4
    assert min(sizes[layers.OneDNNLinear]) >= layers.LARGE > max(sizes[nn.Linear])


def test_bf16_keeps_the_layers_of_torch():
    run = Profile.read("paper").run("mnist", "as_written", "binary_encoding", 0)
    suited = layers.suited_to(torch.device("cpu"), build(run, 28, 10), "bf16")
    assert not [m for m in suited.modules() if isinstance(m, layers.OneDNNLinear)]
