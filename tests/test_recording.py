"""What a training leaves behind: its record."""

import time

import numpy as np
import pytest
import torch
from textbook import changed, curve_of

from binenc import data, training
from binenc.metrics import per_class
from binenc.models import build
from binenc.protocol import AS_WRITTEN
from binenc.training import train

N_TEST = 360
pytestmark = pytest.mark.usefixtures("one_thread")


def test_a_snapshot_knows_more_classes_than_a_byte():
    labels = torch.arange(300)
    split = data.Split(torch.zeros(300, 1, 8, 8), labels)
    dataset = data.Dataset("many", split, split, [str(c) for c in range(300)])
    outputs = torch.eye(300), torch.rand(300, 4)
    kept = training.snapshot(0, {"train": outputs, "test": outputs}, dataset, AS_WRITTEN)["sample_labels"]
    assert kept.tolist() == torch.linspace(0, 299, 200).long().tolist()


def test_a_record_says_what_was_run(smoke):
    run = changed(smoke, "digits_mlp,epochs=13,evaluate_every=4", "as_released", "no_penultimate")
    record, weights = train(run, progress=False)
    h = record.history
    assert not h.duplicated(["epoch", "split", "metric"]).any()
    # before all classes are predicted there are not as many class means as a simplex has vertices
    undefined = h[~np.isfinite(h.value)]
    assert set(undefined.metric) <= {"equinorm", "equiangularity", "max_angle", "tr_sw_sb", "nc3"}
    per_epoch = h[h.metric.str.startswith("epoch_")]
    assert sorted(per_epoch.epoch.unique()) == list(range(13))
    assert set(per_epoch.split) == {"train"}
    measured = h[~h.metric.str.startswith("epoch_")]
    assert sorted(measured.epoch.unique()) == [0, 4, 8, 12]
    metrics = measured.groupby(["epoch", "split"]).metric.agg(set)
    assert len(metrics) == 8
    assert all(m == metrics.iloc[0] for m in metrics)
    assert {"loss", "cross_entropy", "loss_bin", "accuracy", "code_share"} < metrics.iloc[0]

    d, a = run.experiment.width, record.arrays
    assert a["epoch"].tolist() == [0, 12]
    assert a["codebook"].shape == (2, 10, d)
    assert a["sample_latents"].shape == (2, 200, min(d, 64))
    assert a["sample_pca"].shape == (2, 200, 2)
    assert a["sample_labels"].shape == (2, 200)
    assert a["test_class_count"].sum() == N_TEST
    split, model = data.load("digits").test, build(run, 8, 10)
    model.load_state_dict(weights)
    points = torch.linspace(0, N_TEST - 1, 200).long()
    _, latents = model.eval()(split.images)
    sample = latents[points].detach().double()
    np.testing.assert_allclose(a["sample_latents"][-1], sample[:, :64], rtol=2e-3, atol=1e-3)
    assert a["sample_labels"][-1].tolist() == split.labels[points].tolist()
    plane = np.linalg.svd(sample - sample.mean(0))[1][:2]  # the two largest spreads
    np.testing.assert_allclose(np.linalg.norm(a["sample_pca"][-1], axis=0), plane, rtol=1e-4)
    assert record.run["n_parameters"] == sum(w.numel() for w in weights.values())
    assert record.run["configuration"] == run.configuration
    assert record.run["classes"] == data.load("digits").classes
    assert record.run["versions"]["torch"] == torch.__version__
    assert record.run["threads"] == torch.get_num_threads()


def test_precision_is_recorded_and_close(smoke):
    losses = {}
    for precision in ("float32", "tf32", "bf16"):
        run = changed(smoke, f"digits_mlp,epochs=3,precision={precision}")
        record, weights = train(run, progress=False)
        assert record.run["configuration"]["experiment"]["precision"] == precision
        assert all(w.dtype == torch.float32 for w in weights.values())
        losses[precision] = curve_of(record)[:, 0]
    assert np.array_equal(losses["float32"], losses["tf32"])  # TF32 is of GPUs
    assert not np.array_equal(losses["float32"], losses["bf16"])
    np.testing.assert_allclose(losses["bf16"], losses["float32"], rtol=1e-2)


@pytest.mark.parametrize(("precision", "said"), [("float32", "ieee"), ("tf32", "tf32"), ("bf16", "ieee")])
def test_tf32_is_of_the_training_alone_and_of_runs_that_say_so(smoke, monkeypatch, precision, said):
    seen = []

    def spy_on(name):
        def spy(*args):
            switches = torch.backends.cuda.matmul, torch.backends.cudnn.conv
            seen.append((name, *(switch.fp32_precision for switch in switches)))
            return call(*args)

        call = getattr(training, name)
        monkeypatch.setattr(training, name, spy)

    spy_on("train_epoch")
    spy_on("forward")
    train(changed(smoke, f"digits_mlp,epochs=1,precision={precision}"), progress=False)
    assert seen == [("train_epoch", said, said), *[("forward", "ieee", "ieee")] * 2]


@pytest.mark.parametrize(
    ("protocol", "architecture"),
    [
        ("as_written", "binary_encoding"),
        ("as_released", "binary_encoding"),
        ("as_written,loss_bin=exp_of_norm", "binary_encoding"),
        ("as_released", "no_penultimate"),
    ],
)
def test_the_terms_of_equation_1_add_up(smoke, protocol, architecture):
    record, _ = train(changed(smoke, "digits_mlp,epochs=1", protocol, architecture), progress=False)
    gamma = 10 if architecture == "binary_encoding" else 0
    for split in ("train", "test"):
        loss, ce, bin_ = (record.final(m, split) for m in ("loss", "cross_entropy", "loss_bin"))
        assert loss == pytest.approx(ce + gamma * bin_, rel=1e-5)


def test_metrics_are_of_the_split_that_they_name_and_the_codebook_of_training_points(smoke):
    run = changed(smoke, "digits_mlp,epochs=6", "as_released", "linear_penultimate")
    record, weights = train(run, progress=False)
    dataset, model = data.load("digits"), build(run, 8, 10)
    model.load_state_dict(weights)
    for name in ("train", "test"):
        split = getattr(dataset, name)
        logits, latents = training.forward(model, split.images)
        right = (logits.argmax(1) == split.labels).double().mean().item()
        assert record.final("accuracy", name) == pytest.approx(right, abs=1.1 / len(split))
        kept = {"train": record.arrays["codebook"][-1], "test": record.arrays["test_codebook"]}[name]
        assert np.array_equal(kept, per_class(logits, latents, split.labels, run.protocol)["codebook"])


def test_self_duality_is_with_the_latents_as_they_are_recorded(smoke):
    """W R is what the class means of the latents themselves are compared with, where R rotates them."""
    run = changed(smoke, "digits_mlp,epochs=1,classifier_rotated=true")
    record, weights = train(run, progress=False)
    w = weights["classifier.weight"] @ weights["rotation"]
    model = build(run, 8, 10)
    model.load_state_dict(weights)
    split = data.load("digits").train
    _, latents = training.forward(model, split.images)
    centred = torch.stack([latents[split.labels == c].mean(0) for c in range(10)]) - latents.mean(0)
    apart = (w / w.norm() - centred / centred.norm()).norm().item()
    assert record.final("nc3", "train") == pytest.approx(apart, rel=1e-4)


def test_the_time_of_training_is_told_from_that_of_evaluation(smoke, monkeypatch):
    monkeypatch.setattr(training, "train_epoch", lambda *_: (time.sleep(1), (1.0, 0.5))[1])
    monkeypatch.setattr(training, "evaluate", lambda *_: {"loss": 1.0})
    made = train(changed(smoke, "digits_mlp,epochs=1"), progress=False)[0].run
    assert made["training_seconds"] >= 1 > made["evaluation_seconds"] > 0


def test_snapshots_are_of_the_epochs_of_the_figure(smoke):
    run = changed(smoke, "digits_mlp,epochs=12,evaluate_every=1")
    assert train(run, progress=False)[0].arrays["epoch"].tolist() == [0, 5, 10, 11]


def test_a_snapshot_of_wide_latents_is_of_dimensions_from_first_to_last_and_its_plane_of_all():
    split = data.Split(torch.zeros(9, 1, 8, 8), torch.arange(9))
    dataset = data.Dataset("wide", split, split, list("abcdefghi"))
    outputs = torch.eye(9), torch.arange(9 * 130.0).view(9, 130)
    made = training.snapshot(0, {"train": outputs, "test": outputs}, dataset, AS_WRITTEN)
    kept = made["sample_latents"]
    assert kept.shape == (9, 64)
    assert kept[0, [0, -1]].tolist() == [0, 129]
    along = 130 * np.sqrt(130) * np.arange(-4, 5)  # each point is 130 further than the last in each dimension
    np.testing.assert_allclose(abs(made["sample_pca"]), abs(np.stack([along, 0 * along], axis=1)), atol=0.01)


def test_a_snapshot_of_latents_beyond_half_precision_is_finite():
    split = data.Split(torch.zeros(9, 1, 8, 8), torch.arange(9))
    dataset = data.Dataset("far", split, split, list("abcdefghi"))
    outputs = torch.eye(9), torch.linspace(-1e6, 1e6, 9).view(9, 1).repeat(1, 3)
    kept = training.snapshot(0, {"train": outputs, "test": outputs}, dataset, AS_WRITTEN)["sample_latents"]
    assert kept[[0, 4, -1], 0].tolist() == [-65504, 0, 65504]
