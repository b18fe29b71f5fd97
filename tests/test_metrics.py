"""All metrics of one evaluation together."""

import math

import pytest
import torch

from binenc.metrics import measure, per_class
from binenc.metrics.accuracy import class_accuracy
from binenc.metrics.encoding import code_share, code_table, encoding
from binenc.metrics.neural_collapse import neural_collapse
from binenc.protocol import AS_RELEASED, AS_WRITTEN
from binenc.text.words import METRICS

NOT_DEFINED = {"equinorm", "equiangularity", "max_angle", "tr_sw_sb", "nc3"}


@pytest.fixture(scope="module")
def network():
    """Logits, latents, labels and the weight of a classifier that is often wrong."""
    g = torch.Generator().manual_seed(0)
    labels = torch.randint(0, 5, (400,), generator=g)
    weight = torch.randn(5, 12, generator=g)
    latents = weight[labels] + 2 * torch.randn(400, 12, generator=g)
    return latents @ weight.T, latents, labels, torch.nn.Parameter(weight)


@pytest.fixture(scope="module")
def measured(network):
    """All metrics of it as written and as released."""
    return measure(*network, AS_WRITTEN), measure(*network, AS_RELEASED)


def test_every_metric_is_a_number_and_has_a_title(measured):
    for values in measured:
        assert set(values) <= set(METRICS)
        assert all(type(v) is float and math.isfinite(v) for v in values.values())


def test_the_protocol_decides_the_class_of_a_point(network, measured):
    logits, latents, labels, weight = network
    predicted = logits.argmax(dim=1)
    assert not torch.equal(predicted, labels)
    written, released = measured
    pairs = ((written, labels, "distinct", "papyan"), (released, predicted, "with_self", "sample"))
    for values, classes, *choices in pairs:
        expected = encoding(latents, classes, 5, labels)
        expected |= neural_collapse(latents, classes, 5, weight.detach(), logits, *choices)
        assert {name: values[name] for name in expected} == expected
        assert values["accuracy"] == (predicted == labels).double().mean().item()


@pytest.mark.parametrize("protocol", [AS_WRITTEN, AS_RELEASED])
def test_a_prediction_of_one_class_alone_ends_no_training(network, protocol):
    logits, latents, labels, weight = network
    logits = logits - 1e6 * torch.arange(5)
    values = measure(logits, latents, labels, weight, protocol)
    undefined = {name for name, value in values.items() if not math.isfinite(value)}
    assert undefined == (NOT_DEFINED if protocol is AS_RELEASED else set())


@pytest.mark.parametrize("protocol", [AS_WRITTEN, AS_RELEASED])
def test_a_dead_layer_ends_no_training(network, protocol):
    logits, latents, labels, weight = network
    values = measure(logits * 0, latents * 0, labels, weight, protocol)
    assert {name for name, value in values.items() if not math.isfinite(value)} == NOT_DEFINED
    assert values["dead_dimensions"] == 12


def test_per_class(network):
    logits, latents, labels, _ = network
    arrays = per_class(logits, latents, labels, AS_WRITTEN)
    table, book = code_table(latents, labels, 5)
    assert torch.equal(arrays["codebook"], book)
    assert torch.equal(arrays["class_count"], torch.bincount(labels))
    assert torch.equal(arrays["class_code_share"], code_share(table))
    assert torch.equal(arrays["class_accuracy"], class_accuracy(logits, labels))
    for c in range(5):
        expected = latents[labels == c].double().mean(dim=0)
        torch.testing.assert_close(arrays["class_means"][c], expected)
    released = per_class(logits, latents, labels, AS_RELEASED)
    assert torch.equal(released["class_count"], torch.bincount(logits.argmax(dim=1)))
    assert torch.equal(released["class_accuracy"], arrays["class_accuracy"])


def test_memory_layout_and_kind_of_integer_change_nothing(network, measured):
    logits, latents, labels, weight = network
    strided = measure(logits.T.contiguous().T, latents.T.contiguous().T, labels.int(), weight, AS_WRITTEN)
    assert strided == pytest.approx(measured[0], rel=1e-9)


@pytest.mark.gpu
@pytest.mark.parametrize("protocol", [AS_WRITTEN, AS_RELEASED])
def test_gpu_and_cpu_agree(network, measured, protocol):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    on_gpu = measure(*(t.detach().cuda() for t in network), protocol)
    assert on_gpu == pytest.approx(measured[protocol is AS_RELEASED], rel=1e-6)
