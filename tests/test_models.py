"""Shapes, sizes and order of the layers, against Appendix A."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from binenc.models import PENULTIMATE, WITH_BINARY_LOSS, build, n_parameters, random_rotation
from binenc.profile import ARCHITECTURES, InputError, Profile

# Appendix A, by hand: weights + biases of every layer.
MNIST_BACKBONE = (784 * 2048 + 2048) + 2 * (2048 * 2048 + 2048)
CONVOLUTIONS = (
    (9 * 64 + 64)
    + (9 * 64 * 128 + 128)
    + (9 * 128 * 256 + 256)
    + (9 * 256 * 256 + 256)
    + (9 * 256 * 512 + 512)
)
DENSE = 1024 * 1024 + 1024
FASHION_BACKBONE = CONVOLUTIONS + (512 * 3 * 3 * 1024 + 1024) + DENSE


def heads(backbone: int, width: int, penultimate: int) -> tuple[int, int]:
    """With a penultimate layer, and without."""
    return backbone + width * penultimate + penultimate + penultimate * 10 + 10, backbone + width * 10 + 10


N_PARAMETERS = [  # experiment, protocol, with a penultimate layer, without
    ("mnist", "as_written", *heads(MNIST_BACKBONE, 2048, 64)),
    ("mnist", "as_released", *heads(MNIST_BACKBONE, 2048, 64)),
    ("fashion_mnist", "as_written", *heads(FASHION_BACKBONE, 1024, 128)),
    ("fashion_mnist", "as_released", *heads(FASHION_BACKBONE + DENSE, 1024, 128)),
]
SMALL = [("digits_mlp", "as_written"), ("digits_cnn", "as_written"), ("digits_cnn", "as_released")]


def kinds(module: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in module.modules() if not list(layer.children())]


@pytest.fixture(scope="module")
def paper() -> Profile:
    return Profile.read("paper")


@pytest.mark.parametrize(("experiment", "protocol", "with_layer", "without"), N_PARAMETERS)
def test_number_of_parameters(paper, experiment, protocol, with_layer, without):
    with torch.device("meta"):
        found = {a: n_parameters(build(paper.run(experiment, protocol, a, 0), 28, 10)) for a in ARCHITECTURES}
    assert found == {
        "binary_encoding": with_layer,
        "linear_penultimate": with_layer,
        "nonlinear_penultimate": with_layer,
        "no_penultimate": without,
    }


def test_order_of_layers(paper):
    def backbone(experiment, protocol):
        with torch.device("meta"):
            return build(paper.run(experiment, protocol, "no_penultimate", 0), 28, 10).backbone

    mlp = ["Flatten", "Linear", "ReLU", "Dropout", "Linear", "ReLU", "Dropout", "Linear", "ReLU"]
    conv, pool = ["Conv2d", "ReLU"], ["MaxPool2d"]
    features = [*conv, *pool, *conv, *pool, *conv, *conv, *pool, *conv, "Flatten"]
    dense = ["Linear", "ReLU", "Dropout"]
    assert kinds(backbone("mnist", "as_written")) == mlp
    assert kinds(backbone("mnist", "as_released")) == mlp
    assert kinds(backbone("fashion_mnist", "as_written")) == features + dense * 2
    assert kinds(backbone("fashion_mnist", "as_released")) == features + dense * 2 + ["Linear", "ReLU"]
    layers = list(backbone("fashion_mnist", "as_written").modules())
    convolutions = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    channels = [(c.in_channels, c.out_channels) for c in convolutions]
    assert channels == [(1, 64), (64, 128), (128, 256), (256, 256), (256, 512)]
    assert {(c.kernel_size, c.padding, c.stride) for c in convolutions} == {((3, 3), (1, 1), (1, 1))}
    assert {(p.kernel_size, p.stride) for p in layers if isinstance(p, nn.MaxPool2d)} == {(2, 2)}
    assert {d.p for d in layers if isinstance(d, nn.Dropout)} == {0.5}


def test_heads(smoke):
    assert list(PENULTIMATE) == list(ARCHITECTURES)
    assert {"binary_encoding"} == WITH_BINARY_LOSS
    head = {a: build(smoke.run("digits_mlp", "as_written", a, 0), 8, 10).penultimate for a in ARCHITECTURES}
    assert kinds(head["binary_encoding"]) == kinds(head["linear_penultimate"]) == ["Linear"]
    assert kinds(head["nonlinear_penultimate"]) == ["Linear", "ReLU"]
    assert kinds(head["no_penultimate"]) == ["Identity"]


@pytest.mark.parametrize(("experiment", "protocol"), SMALL)
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("side", [8, 28])
def test_shapes_and_what_the_latents_are(smoke, experiment, protocol, architecture, side):
    run = smoke.run(experiment, protocol, architecture, 0)
    d = run.experiment.width if architecture == "no_penultimate" else run.experiment.penultimate
    torch.manual_seed(0)  # of some few latents all may be positive
    model = build(run, side, n_classes=7).eval()
    images = torch.rand(5, 1, side, side)
    logits, latents = model(images)
    assert (logits.shape, latents.shape) == ((5, 7), (5, d))
    # f(x) = W x + b of the latents that are returned
    assert torch.allclose(logits, latents @ model.classifier.weight.T + model.classifier.bias, atol=1e-6)
    assert (latents.min() >= 0) == (architecture in ("nonlinear_penultimate", "no_penultimate"))
    assert torch.equal(logits, model(images)[0])


def test_a_layer_of_any_other_size_has_its_classifier(smoke, monkeypatch):
    monkeypatch.setitem(PENULTIMATE, "twice", lambda h, d: nn.Sequential(nn.Linear(h, 2 * d), nn.Tanh()))
    run = dataclasses.replace(smoke.all_runs()[0], architecture="twice")
    logits, latents = build(run, 8, 7)(torch.rand(5, 1, 8, 8))
    assert (logits.shape, latents.shape) == ((5, 7), (5, 2 * run.experiment.penultimate))


def test_an_architecture_that_has_a_name_and_no_layer(smoke):
    run = dataclasses.replace(smoke.all_runs()[0], architecture="tanh_penultimate")
    with pytest.raises(InputError, match="'tanh_penultimate': has no layer in PENULTIMATE"):
        build(run, 8, 7)


@pytest.mark.parametrize("experiment", ["digits_mlp", "digits_cnn"])
def test_the_first_three_start_from_the_same_weights(smoke, experiment):
    def weights(architecture, seed=0):
        torch.manual_seed(seed)
        return [*build(smoke.run(experiment, "as_written", architecture, seed), 8, 10).parameters()]

    first = weights("binary_encoding")
    for architecture in ("linear_penultimate", "nonlinear_penultimate"):
        assert all(map(torch.equal, first, weights(architecture)))
    assert not torch.equal(first[0], weights("binary_encoding", seed=1)[0])


@pytest.mark.parametrize("architecture", ["binary_encoding", "no_penultimate"])
def test_a_rotation_stands_before_the_classifier_alone(smoke, architecture):
    """By hand: W R x + b, which starts as what the network without it computes."""
    built = []
    for name in ("digits_mlp", "digits_mlp,classifier_rotated=true"):
        torch.manual_seed(0)
        built.append(build(smoke.run(name, "as_written", architecture, 3), 8, 10).eval())
        built.append(torch.rand(1))
    plain, drawn, turned, drawn_too = built
    assert torch.equal(drawn, drawn_too)
    weights = dict(turned.named_parameters())
    for name, weight in plain.named_parameters():
        assert torch.equal(weight, weights[name]) == (name != "classifier.weight")
    assert n_parameters(plain) == n_parameters(turned)
    images = torch.rand(50, 1, 8, 8)
    (logits, latents), (turned_logits, same) = plain(images), turned(images)
    torch.testing.assert_close(latents, same)
    torch.testing.assert_close(logits, turned_logits, atol=1e-6, rtol=1e-5)
    torch.testing.assert_close(turned.weight, plain.weight, atol=1e-6, rtol=1e-5)
    by_hand = (turned.rotation @ latents.T).T @ turned.classifier.weight.T + turned.classifier.bias
    torch.testing.assert_close(turned_logits, by_hand, atol=1e-6, rtol=1e-5)


def test_a_random_rotation_keeps_lengths_and_is_of_its_seed():
    first, again, other = (random_rotation(64, seed).double() for seed in (0, 0, 1))
    torch.testing.assert_close(first @ first.T, torch.eye(64).double(), atol=1e-6, rtol=0)
    assert torch.equal(first, again)
    assert (first - other).abs().max() > 0.1
    assert abs(first.diagonal()).max() < 0.5  # no axis stays where it was


def test_a_rotation_has_nothing_to_do_with_the_initial_weights(smoke):
    """Of one seed, torch's numbers are the same for both: normal ones, as a rotation is made of, by pairs."""
    torch.manual_seed(0)
    uniform = torch.rand(64 * 64)
    torch.manual_seed(0)
    normal = torch.randn(64 * 64)
    drawn = nn.init.orthogonal_(torch.empty(64, 64), generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    torch.testing.assert_close(drawn, nn.init.orthogonal_(torch.empty(64, 64)))  # the numbers after a seed
    for numbers in (uniform, normal, drawn.flatten()):
        assert abs(np.corrcoef(numbers, random_rotation(64, 0).flatten())[0, 1]) < 0.06


def test_dropout_acts_in_training_mode_alone(smoke):
    model = build(smoke.run("digits_mlp", "as_written", "binary_encoding", 0), 8, 10)
    images = torch.rand(20, 1, 8, 8)
    torch.manual_seed(0)
    assert not torch.equal(model.train()(images)[0], model(images)[0])
    assert torch.equal(model.eval()(images)[0], model(images)[0])
