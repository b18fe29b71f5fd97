"""The loop against a plain one written here, and what it promises about seeds, protocols and failures."""

import dataclasses
import math

import numpy as np
import pytest
import torch
from textbook import N_TRAIN, assert_same_numbers, changed, curve_of, textbook
from torch import nn

from binenc import data, layers, records, training
from binenc.loss import READINGS
from binenc.models import random_rotation
from binenc.profile import InputError
from binenc.study import find_or_train
from binenc.training import TrainingDiverged, train

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture
def plain_dropout(monkeypatch):
    """The masks of nn.Dropout, which the textbook loop draws too."""
    monkeypatch.setattr(layers, "use_cheap_dropout", lambda module: None)


@pytest.mark.parametrize("protocol", ["as_written", "as_released"])
@pytest.mark.parametrize("architecture", ["binary_encoding", "nonlinear_penultimate"])
def test_equals_the_textbook_loop(smoke, plain_dropout, protocol, architecture):
    run = changed(smoke, "digits_mlp,epochs=3,halve_every=2", protocol, architecture)
    assert_same_numbers(run, train(run, progress=False), textbook(run, 3))


def test_a_wide_network_equals_the_textbook_loop(smoke, plain_dropout):
    """Its layers are large enough for `layers.OneDNNLinear`."""
    run = changed(smoke, "digits_mlp,epochs=2,width=512")
    assert_same_numbers(run, train(run, progress=False), textbook(run, 2))


@pytest.mark.parametrize("protocol", ["as_written", "as_released"])
def test_cnn_equals_the_textbook_loop(smoke, plain_dropout, protocol):
    run = changed(smoke, "digits_cnn,epochs=2,halve_every=1", protocol)
    assert_same_numbers(run, train(run, progress=False), textbook(run, 2))


@pytest.mark.parametrize(
    "experiment",
    [
        "digits_mlp,epochs=2",
        "digits_mlp,epochs=2,width=512",
        "digits_cnn,epochs=1",
        "digits_mlp,epochs=2,precision=bf16",
    ],
)
def test_repeats_bit_for_bit(smoke, experiment):
    run = changed(smoke, experiment)
    (first, weights), (second, again) = train(run, progress=False), train(run, progress=False)
    assert first.history.equals(second.history)
    assert weights.keys() == again.keys()
    assert all(torch.equal(weights[name], again[name]) for name in weights)
    assert all(
        np.array_equal(first.arrays[name], second.arrays[name], equal_nan=True) for name in first.arrays
    )


def test_a_seed_decides_initialisation_order_and_dropout(smoke, monkeypatch):
    """Each of the three differs between seeds, however often random numbers were drawn before."""
    drawn = []

    def spied(model, *rest):
        step = make_step(model, *rest)

        def spy(images, labels):
            if not drawn[-1]:
                start = [w.detach().clone() for w in model.parameters()]
                step(images, labels)
                drawn[-1].extend([start[0], images, masks[0]])
            else:
                step(images, labels)

        return spy

    def masked(self, x):
        out = forward(self, x)
        if self.training:
            masks.append(out == 0)
        return out

    make_step, forward, masks = training.make_step, layers.CheapDropout.forward, []
    monkeypatch.setattr(training, "make_step", spied)
    monkeypatch.setattr(layers.CheapDropout, "forward", masked)
    for seed in (0, 1, 0):
        drawn.append([])
        masks.clear()
        torch.rand(7)
        train(changed(smoke, "digits_mlp,epochs=1", seed=seed), progress=False)
    zero, one, again = drawn
    assert all(torch.equal(a, b) for a, b in zip(zero, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(zero, one, strict=True))


def test_moments_that_fade_to_denormal_numbers_are_cleared(smoke, monkeypatch):
    """Of the inputs of a pixel that is always blank, once it has not been; no weight is moved by that."""
    optimizers, adam, weights = [], torch.optim.Adam, []
    monkeypatch.setattr(
        torch.optim, "Adam", lambda *a, **kw: optimizers.append(adam(*a, **kw)) or optimizers[-1]
    )
    for clear_every in (50, 10**9):
        monkeypatch.setattr(training, "CLEAR_EVERY", clear_every)
        run = changed(smoke, "digits_mlp,epochs=1")
        model, _, _, step = training.set_up(run, 8, 10, torch.device("cpu"))
        images, labels = torch.rand(64, 1, 8, 8), torch.arange(64) % 10
        for n in range(1000):
            torch.manual_seed(n)
            images[:, 0, 0, 0] = float(n == 0)  # 0.9 to the power of 1000 is below 1e-45
            step(images, labels)
        faded = [
            (moment.abs() < 2**-126) & (moment != 0)
            for state in optimizers[-1].state.values()
            for moment in (state["exp_avg"], state["exp_avg_sq"])
        ]
        assert any(x.any() for x in faded) is (clear_every > 1000)
        weights.append([w.detach().clone() for w in model.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_gradient_descent_trains_the_classifier_alone(smoke):
    """One step from the same start: Adam moves the rest as ever, the classifier goes against its gradient."""
    images, labels = torch.rand(32, 1, 8, 8), torch.arange(32) % 10
    moved, gradients = [], []
    for change in ("classifier_sgd=0", "classifier_sgd=0.3"):
        run = changed(smoke, f"digits_mlp,{change}")
        model, _, _, step = training.set_up(run, 8, 10, torch.device("cpu"))
        before = [w.detach().clone() for w in model.parameters()]
        torch.manual_seed(1)
        step(images, labels)
        moved.append([w.detach() - b for w, b in zip(model.parameters(), before, strict=True)])
        gradients = [w.grad for w in model.parameters()]
    adam, descent = moved
    assert all(torch.equal(a, b) for a, b in zip(adam[:-2], descent[:-2], strict=True))
    for a, b, gradient in zip(adam[-2:], descent[-2:], gradients[-2:], strict=True):
        torch.testing.assert_close(b, -0.3 * gradient)
        assert not torch.allclose(a, b, rtol=0.1)


def test_gradient_descent_of_the_classifier_has_momentum(smoke):
    run = changed(smoke, "digits_mlp,classifier_sgd=0.3")
    model, _, _, step = training.set_up(run, 8, 10, torch.device("cpu"))
    images, labels = torch.rand(32, 1, 8, 8), torch.arange(32) % 10
    weights, gradients = list(model.classifier.parameters()), []
    before = [w.detach().clone() for w in weights]
    for _ in range(2):
        step(images, labels)
        gradients.append([w.grad for w in weights])
    for w, b, first, second in zip(weights, before, *gradients, strict=True):
        torch.testing.assert_close(w.detach() - b, -0.3 * (first + 0.9 * first + second))


def test_a_rotation_before_the_classifier_is_not_trained(smoke, plain_dropout):
    run = changed(smoke, "digits_mlp,epochs=3,halve_every=2,classifier_rotated=true")
    trained = record, weights = train(run, progress=False)
    assert_same_numbers(run, trained, textbook(run, 3))
    rotation = record.arrays["rotation"]
    assert np.array_equal(rotation, random_rotation(run.experiment.penultimate, run.seed))
    assert np.array_equal(rotation, weights["rotation"])
    plain, _ = train(changed(smoke, "digits_mlp,epochs=3,halve_every=2"), progress=False)
    assert "rotation" not in plain.arrays


@pytest.mark.parametrize(("protocol", "epochs_with_dropout"), [("as_written", 3), ("as_released", 1)])
def test_dropout_acts_when_the_protocol_says(smoke, monkeypatch, protocol, epochs_with_dropout):
    acted, evaluated = [], []

    def spy(self, x):
        out = forward(self, x)
        (evaluated if torch.is_inference_mode_enabled() else acted).append(not torch.equal(out, x))
        return out

    forward = layers.CheapDropout.forward
    monkeypatch.setattr(layers.CheapDropout, "forward", spy)
    run = changed(smoke, "digits_mlp,epochs=3,evaluate_every=1", protocol)
    train(run, progress=False)
    a_epoch = 2 * math.ceil(N_TRAIN / run.experiment.batch_size)
    assert acted == [True] * a_epoch * epochs_with_dropout + [False] * a_epoch * (3 - epochs_with_dropout)
    assert evaluated
    assert not any(evaluated)


@pytest.mark.parametrize(
    ("protocol", "rates"), [("as_written", [1e-3, 1e-3, 5e-4, 5e-4, 2.5e-4]), ("as_released", [1e-3] * 5)]
)
def test_learning_rate_of_each_epoch(smoke, monkeypatch, protocol, rates):
    seen, step = [], torch.optim.Adam.step

    def spy(self):
        seen.append(float(self.param_groups[0]["lr"]))
        return step(self)

    monkeypatch.setattr(torch.optim.Adam, "step", spy)
    run = changed(smoke, "digits_mlp,epochs=5,halve_every=2", protocol)
    train(run, progress=False)
    n = math.ceil(N_TRAIN / run.experiment.batch_size)
    np.testing.assert_allclose(seen, np.repeat(rates, n), rtol=1e-6)


def test_every_epoch_covers_every_point_once_in_a_new_order(smoke, monkeypatch):
    batches, make_step = [], training.make_step

    def spied(*parts):
        step = make_step(*parts)

        def spy(images, labels):
            batches.append(torch.cat([images.flatten(1), labels[:, None]], dim=1))
            step(images, labels)

        return spy

    monkeypatch.setattr(training, "make_step", spied)
    train(changed(smoke, "digits_mlp,epochs=2,batch_size=100"), progress=False)
    assert [len(b) for b in batches] == ([100] * 14 + [37]) * 2  # the last, partial batch is kept

    def rows(points):
        return sorted(map(tuple, points.tolist()))

    split = data.load("digits").train
    first, second = torch.cat(batches[:15]), torch.cat(batches[15:])
    assert (
        rows(first)
        == rows(second)
        == rows(torch.cat([split.images.flatten(1), split.labels[:, None]], dim=1))
    )
    assert not torch.equal(first, second)


def test_evaluation_is_of_all_points_in_evaluation_mode():
    torch.manual_seed(0)
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Dropout(0.5))
    pair = nn.Module()
    pair.forward = lambda x: (model(x), x.flatten(1))
    pair.model = model
    images = torch.randn(2501, 1, 2, 2)
    logits, latents = training.forward(pair.train(), images)
    expected = images.flatten(1) @ model[1].weight.T + model[1].bias
    torch.testing.assert_close(logits, expected.detach())
    torch.testing.assert_close(latents, images.flatten(1))


def nan_from(call: int):
    """`total_loss`, but not a number from some call on."""
    calls, total_loss = [], training.total_loss

    def loss(*args):
        calls.append(1)
        return total_loss(*args) * (math.nan if len(calls) >= call else 1.0)

    return loss


def test_divergence_says_when_and_what_to_change(smoke, monkeypatch, tmp_path):
    monkeypatch.setattr(records, "RESULTS", tmp_path)
    run = changed(smoke, "digits_mlp,epochs=4,evaluate_every=9,batch_size=500")
    record, _ = train(changed(smoke, "digits_mlp,epochs=1,batch_size=500"), progress=False)
    first_loss = record.final("epoch_loss", "train")
    # three steps, two evaluations, and the second step of epoch 1
    monkeypatch.setattr(training, "total_loss", nan_from(3 + 2 + 2))
    with pytest.raises(TrainingDiverged) as caught:
        find_or_train(smoke, run, progress=False)
    message = str(caught.value)
    for part in (
        run.id,
        "in epoch 1",
        f"loss {first_loss:.4g}",
        "(epoch 0)",
        "learning_rate (0.001)",
        "gamma (10.0)",
    ):
        assert part in message
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    assert records.find(smoke, run) is None


def test_weights_that_overflow_in_the_last_step_are_divergence(smoke):
    run = changed(
        smoke, "digits_mlp,epochs=1,batch_size=2000,learning_rate=1e38", architecture="no_penultimate"
    )
    with pytest.raises(TrainingDiverged, match=r"epoch 0.*last finite values: none") as caught:
        train(run, progress=False)
    assert "gamma" not in str(caught.value)  # which this architecture does not use


@pytest.mark.parametrize(
    "name", ["gpu", "cuda0", "cuda:", "cuda:x", "cpu:", "cpu:0", "cuda:99", "cuda:00", "mps", "cuda:-1"]
)
def test_unknown_device(monkeypatch, name):
    monkeypatch.setenv("BINENC_DEVICE", name)
    with pytest.raises(InputError, match="BINENC_DEVICE"):
        training.device()


def test_device(monkeypatch):
    monkeypatch.setenv("BINENC_DEVICE", "cpu")
    assert training.device() == torch.device("cpu")
    monkeypatch.setenv("BINENC_DEVICE", "")
    assert training.device().type == ("cuda" if torch.cuda.is_available() else "cpu")


@pytest.mark.parametrize(
    ("dataset", "network"),
    [("mnist", "digits_mlp,width=128"), ("fashion_mnist", "digits_cnn,width=64")],
)
def test_learns_the_real_data(smoke, real_data, monkeypatch, dataset, network):
    full = data.load(dataset)
    few = dataclasses.replace(
        full,
        train=data.Split(full.train.images[:2000], full.train.labels[:2000]),
        test=data.Split(full.test.images[:500], full.test.labels[:500]),
    )
    monkeypatch.setattr(data, "load", lambda name: {dataset: few}[name])
    change = f"dataset={dataset},epochs=2,batch_size=50,learning_rate=0.003,penultimate=32,dropout_rate=0"
    run = changed(smoke, f"{network},{change}", architecture="linear_penultimate")
    record, _ = train(run, progress=False)
    assert record.run["data_checksum"] == few.checksum
    assert record.final("accuracy", "test") > {"mnist": 0.7, "fashion_mnist": 0.4}[dataset]
    loss = curve_of(record)[:, 0]
    assert loss[-1] < loss[0]


def test_the_reading_of_the_loss_is_that_of_the_protocol(smoke):
    protocols = ["as_written", *(f"as_written,loss_bin={name}" for name in READINGS if name != "exp_of_mean")]
    runs = [changed(smoke, "digits_mlp,epochs=1", protocol) for protocol in protocols]
    assert len({curve_of(train(run, progress=False)[0])[0, 0] for run in runs}) == len(READINGS)
