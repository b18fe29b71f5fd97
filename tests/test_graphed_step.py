"""The step as a CUDA graph: its bookkeeping anywhere, the promises of training where there is a GPU."""

import contextlib
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from textbook import assert_same_numbers, changed, curve_of, textbook
from torch._subclasses.fake_tensor import FakeTensorMode

from binenc import training
from binenc.models import build
from binenc.training import train

gpu = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU on this machine"),
]
ROTATED = "digits_mlp,classifier_rotated=true"

pytestmark = pytest.mark.usefixtures("one_thread")


def test_graphs_are_replayed_for_full_batches_of_each_mode(smoke, monkeypatch):
    """All of `GraphedStep` but CUDA: a replay here is the step on the tensors that a graph would read."""
    recorded, replayed = [], []

    class Replayed(training.GraphedStep):
        def record(self, *batch):
            recorded.append(self.model.training)
            inputs = [torch.full_like(x, 7) for x in batch]

            def replay():
                replayed.append(len(inputs[1]))
                self.step(*inputs)

            return SimpleNamespace(replay=replay), inputs

    def replaying(*parts):
        return Replayed(make_step(*parts), parts[0], run.experiment.batch_size)

    run = changed(smoke, "digits_mlp,epochs=3,batch_size=200", "as_released")
    plain, weights = train(run, progress=False)
    make_step = training.make_step
    monkeypatch.setattr(training, "make_step", replaying)
    for name in ("Stream", "current_stream"):
        monkeypatch.setattr(torch.cuda, name, lambda: SimpleNamespace(wait_stream=lambda other: None))
    monkeypatch.setattr(torch.cuda, "stream", contextlib.nullcontext)
    graphed, same = train(run, progress=False)
    assert recorded == [True, False]
    assert replayed == [200] * (3 * 7 - 2 * training.GraphedStep.WARM_UP)  # 7 full batches and one of 37
    assert plain.history.equals(graphed.history)
    assert all(torch.equal(weights[name], same[name]) for name in weights)


@pytest.mark.parametrize(
    "name", ["digits_mlp", "digits_mlp,classifier_sgd=0.05", ROTATED, "digits_cnn,precision=bf16"]
)
@pytest.mark.parametrize("protocol", ["as_written", "as_released"])
def test_a_step_reads_no_number_back(smoke, name, protocol):
    """Which would make it wait for the device, and could not be recorded: tensors without numbers refuse."""
    run = changed(smoke, name, protocol)
    model, _, _, step = training.set_up(run, 8, 10, torch.device("cpu"))
    with FakeTensorMode(allow_non_fake_inputs=True):
        batch = torch.empty(64, 1, 8, 8), torch.empty(64, dtype=torch.int64)
        for mode in (True, False):
            model.train(mode)
            step(*batch)


@pytest.mark.parametrize("name", ["digits_mlp", "digits_cnn", ROTATED])
@pytest.mark.parametrize("protocol", ["as_written", "as_released"])
def test_a_step_stays_on_the_device_of_its_model(smoke, name, protocol):
    """With "meta", which computes shapes alone, for a second device: torch refuses to mix it with the CPU."""
    run, meta = changed(smoke, name, protocol), torch.device("meta")
    model = training.suited_to(meta, build(run, 8, 10), "float32")
    optimizer = torch.optim.SGD(model.parameters())
    step = training.make_step(model, [optimizer], torch.zeros(2, dtype=torch.float64, device=meta), run)
    step(torch.empty(64, 1, 8, 8, device=meta), torch.empty(64, dtype=torch.int64, device=meta))
    assert all(parameter.grad.device == meta for parameter in model.parameters())
    assert model.rotation is None or model.rotation.device == meta  # a product of matrices refuses nothing


class TestGpu:
    """The same promises where the step is a CUDA graph."""

    pytestmark = gpu

    @pytest.fixture(autouse=True)
    def _device(self, monkeypatch):
        monkeypatch.setenv("BINENC_DEVICE", "cuda")

    @pytest.mark.parametrize("protocol", ["as_written", "as_released"])
    def test_equals_the_textbook_loop_on_the_cpu(self, smoke, protocol):
        run = changed(smoke, "digits_mlp,epochs=3,halve_every=2,dropout_rate=0", protocol)
        assert_same_numbers(run, train(run, progress=False), textbook(run, 3))

    @pytest.mark.parametrize("protocol", ["as_written", "as_released"])
    @pytest.mark.parametrize("classifier_sgd", [0, 0.05])
    def test_a_graph_is_the_step(self, smoke, monkeypatch, protocol, classifier_sgd):
        """Dropout included: a graph draws the masks that the step would have drawn."""
        name = f"digits_mlp,epochs=3,halve_every=2,classifier_sgd={classifier_sgd}"
        run = changed(smoke, name, protocol)
        (graphed, weights), (again, _) = train(run, progress=False), train(run, progress=False)
        assert graphed.history.equals(again.history)
        monkeypatch.setattr(training, "GraphedStep", lambda step, model, batch_size: step)
        stepped, plain = train(run, progress=False)
        np.testing.assert_allclose(curve_of(graphed)[:, 0], curve_of(stepped)[:, 0], rtol=2e-5)
        for name in weights:
            torch.testing.assert_close(weights[name], plain[name], rtol=1e-2, atol=5e-4)

    @pytest.mark.filterwarnings("ignore:Synchronization debug mode")
    def test_no_step_waits_for_the_device(self, smoke, monkeypatch):
        make = training.GraphedStep

        def quiet(step, model, batch_size):
            graphed = make(step, model, batch_size)

            def spy(images, labels):
                torch.cuda.set_sync_debug_mode("error")
                try:
                    graphed(images, labels)
                finally:
                    torch.cuda.set_sync_debug_mode("default")

            return spy

        monkeypatch.setattr(training, "GraphedStep", quiet)
        train(changed(smoke, "digits_mlp,epochs=2", "as_released"), progress=False)

    @pytest.mark.parametrize("precision", ["float32", "tf32", "bf16"])
    def test_precision(self, smoke, precision):
        run = changed(smoke, f"digits_cnn,epochs=2,dropout_rate=0,precision={precision}")
        record, _ = train(run, progress=False)
        curve, _ = textbook(run, 2)
        np.testing.assert_allclose(curve_of(record)[:, 0], [loss for loss, _ in curve], rtol=1e-2)
        assert torch.backends.cuda.matmul.fp32_precision == "ieee"  # an evaluation is in float32
