"""The estimate before a long training: what it measures, adds up, and asks."""

from pathlib import Path

import pytest
import torch
from copying import copy_repository, make, try_make
from synthetic import synthetic

from binenc import provenance, records, training
from binenc.choice import shard
from binenc.commands import estimate
from binenc.commands.estimate import Cost
from binenc.profile import Block, InputError, Resources


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.setattr(records, "RESULTS", tmp_path / "results")
    return tmp_path


def test_a_run_costs_its_epochs_and_evaluations_and_what_it_does_once(smoke):
    run = smoke.all_runs()[0]  # 6 epochs, evaluated after 0 and 5
    assert Cost(epoch=10, evaluation=3, once=0.5).of(run) == 66.5


def test_what_has_a_record_is_not_missing(here, smoke):
    runs = smoke.all_runs()
    assert estimate.missing(smoke) == runs
    records.save(synthetic(runs[3]), records.folder(smoke, runs[3]))
    assert estimate.missing(smoke) == runs[:3] + runs[4:]
    parts = [shard(runs, f"{i}/3") for i in (1, 2, 3)]
    assert runs[3] in parts[0]
    for i, part in enumerate(parts, start=1):
        assert estimate.missing(smoke, f"{i}/3") == [run for run in part if run.id != runs[3].id]


def test_a_kind_is_a_size_of_network_and_of_latents(smoke):
    gammas = ["digits_mlp", "digits_mlp,gamma=1", "digits_mlp,epochs=3"]
    block = {"experiments": gammas, "protocols": ["as_written", "as_released"], "seeds": [0, 1]}
    one = smoke.model_copy(update={"runs": [Block(**block)]})
    assert len({estimate.kind(run) for run in one.all_runs()}) == 2
    two = smoke.model_copy(
        update={"runs": [Block(**block | {"experiments": ["digits_mlp,width=32", "digits_mlp"]})]}
    )
    assert len({estimate.kind(run) for run in two.all_runs()}) == 4
    cnn = smoke.model_copy(update={"runs": [Block(**block | {"experiments": ["digits_cnn"]})]})
    assert len({estimate.kind(run) for run in cnn.all_runs()}) == 4  # as released has a dense layer more


def test_one_epoch_is_trained_and_remembered(here, smoke, monkeypatch):
    run, keep = smoke.all_runs()[0], here / "build/estimate.json"
    threads, trained = torch.get_num_threads(), []

    def train(short, progress):
        trained.append((short.experiment.epochs, torch.get_num_threads()))
        return synthetic(short, wall_seconds=9.0, training_seconds=5.0, evaluation_seconds=3.0), {}

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "device", lambda: torch.device("cpu"))
    for _ in range(2):
        assert estimate.measure(run, 1, keep) == Cost(5.0, 3.0, 1.0)
    assert trained == [(1, 1)]
    assert torch.get_num_threads() == threads
    estimate.measure(run, 2, keep)
    monkeypatch.setattr(records, "code_version", lambda: "other sources")
    estimate.measure(run, 2, keep)
    keep.write_text("{")
    estimate.measure(run, 2, keep)
    assert len(trained) == 4


def test_a_real_epoch_has_its_time(smoke):
    cost = estimate.measure(smoke.all_runs()[0], threads=1)
    assert cost.epoch > 0
    assert cost.evaluation > 0
    assert cost.once > 0


def test_runs_side_by_side(smoke):
    two = smoke.model_copy(update={"resources": Resources(threads=2)})
    assert [estimate.at_a_time(two, cores, gpu=False) for cores in (1, 2, 5, 16)] == [1, 1, 2, 8]
    assert estimate.at_a_time(two, 16, gpu=True) == 1


def on_a(monkeypatch, device: str, cost: Cost) -> None:
    monkeypatch.setattr(training, "device", lambda: torch.device(device))
    monkeypatch.setattr(estimate, "measure", lambda run, threads, keep: cost)


def test_without_a_gpu_the_cpu_must_be_insisted_on(here, smoke, monkeypatch, capsys):
    on_a(monkeypatch, "cpu", Cost(1, 1, 1))
    monkeypatch.delenv("BINENC_DEVICE")
    with pytest.raises(InputError, match="allowed is i/n"):
        estimate.check(smoke, "5/4", 2, None, yes=True)
    monkeypatch.setattr(estimate, "DRIVER", here / "none")
    with pytest.raises(InputError, match="no GPU found") as error:
        estimate.check(smoke, None, 2, None, yes=True)
    assert "BINENC_DEVICE=cpu" in str(error.value)
    assert "\n" not in str(error.value)
    monkeypatch.setattr(estimate, "DRIVER", Path(__file__))
    for cuda, built in (("13.0", "for CUDA 13.0, which may want a newer driver"), (None, "without CUDA")):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        with pytest.raises(InputError, match=f"does not find the GPU of this machine: it is built {built}"):
            estimate.check(smoke, None, 2, None, yes=True)
    monkeypatch.setenv("BINENC_DEVICE", "cpu")
    estimate.check(smoke, None, 2, None, yes=False)
    monkeypatch.delenv("BINENC_DEVICE")
    on_a(monkeypatch, "cuda", Cost(1, 1, 1))
    estimate.check(smoke, None, 2, None, yes=False)


def test_over_an_hour_is_asked_for_twice(here, smoke, monkeypatch, capsys):
    """Smoke: 9 runs of 6 epochs and one of 2, each evaluated twice, two at a time on two cores."""
    monkeypatch.setenv("BINENC_DEVICE", "cpu")
    assert [(r.experiment.epochs, len(r.experiment.evaluated)) for r in smoke.all_runs()] == [(6, 2)] * 9 + [
        (2, 2)
    ]
    on_a(monkeypatch, "cpu", Cost(100, 50, 10))  # 9 * 710 + 310 = 6700 s
    estimate.check(smoke, None, 2, None, yes=False)
    assert "in all about 56 min, 2 at a time" in capsys.readouterr().out
    with pytest.raises(InputError, match=r"about 112 min, over an hour: the same command with YES=1"):
        estimate.check(smoke, None, 1, None, yes=False)
    said = capsys.readouterr().out
    assert "digits_mlp, d = 8: 7 runs; 100.00 s an epoch, 50.00 s an evaluation, 12 min a run" in said
    assert "digits_mlp, d = 64: 2 runs" in said
    assert "digits_cnn, d = 8: 1 run;" in said
    estimate.check(smoke, None, 1, None, yes=True)
    estimate.check(smoke, "1/2", 1, None, yes=False)
    on_a(monkeypatch, "cuda", Cost(100, 50, 10))
    with pytest.raises(InputError, match="over an hour"):
        estimate.check(smoke, None, 16, None, yes=False)


def test_when_every_run_has_its_record_nothing_is_measured_or_asked(here, smoke, monkeypatch, capsys):
    monkeypatch.delenv("BINENC_DEVICE")
    for run in smoke.all_runs():
        records.save(synthetic(run), records.folder(smoke, run))
    estimate.check(smoke, None, 2, None, yes=False)
    assert capsys.readouterr().out == "profile smoke: every run has its record\n"
    estimate.check(smoke, "3/4", 2, None, yes=False)
    assert capsys.readouterr().out == "profile smoke, part 3/4: every run has its record\n"


@pytest.mark.pipeline
def test_a_part_of_a_profile_is_trained_in_place_and_once(tmp_path):
    copy = copy_repository(tmp_path / "copy")
    (copy / "profiles/one.yml").write_text(
        (copy / "profiles/smoke.yml").read_text().split("\nruns:")[0]
        + "\nruns:\n  - {experiments: ['digits_mlp,epochs=1'], protocols: [as_written], seeds: [0, 1], "
        "architectures: [no_penultimate]}\n"
    )
    words = ["paper", "PROFILE=one", "CORES=1", "SHARD=2/2"]
    if not torch.cuda.is_available():
        refused = try_make(copy, *words, BINENC_DEVICE="")
        assert refused.returncode == 2
        assert "BINENC_DEVICE=cpu" in refused.stderr.splitlines()[0]
    assert not (copy / "results").exists()
    assert "1 run to train on cpu" in make(copy, *words, "BINENC_DEVICE=cpu", BINENC_DEVICE="")
    pages = list((copy / "_build/pages").rglob("seed-*.ipynb"))
    assert [page.name for page in pages] == ["seed-1.ipynb"]
    assert len(list((copy / "results").rglob("run.json"))) == 1
    assert not list((copy / "results").rglob("*.corrupt"))
    assert not (copy / "_build/html").exists()
    assert "every run has its record" in make(copy, *words, BINENC_DEVICE="")


def test_on_a_gpu_the_second_of_two_trainings_of_three_epochs_counts(here, smoke, monkeypatch):
    seconds, trained = iter([(90.0, 70.0, 9.0), (9.0, 6.0, 2.0)]), []

    def train(short, progress):
        trained.append(short.experiment.epochs)
        made = dict(
            zip(("wall_seconds", "training_seconds", "evaluation_seconds"), next(seconds), strict=True)
        )
        return synthetic(short, **made), {}

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(training, "device", lambda: torch.device("cuda"))
    monkeypatch.setattr(provenance, "provenance", lambda where: {"device": "a GPU"})
    assert estimate.measure(smoke.all_runs()[0], 1) == Cost(2.0, 1.0, 1.0)  # evaluated after epochs 0 and 2
    assert trained == [3, 3]


def test_no_more_runs_than_there_are_go_side_by_side_nor_more_threads_than_cores(
    here, smoke, monkeypatch, capsys
):
    monkeypatch.setenv("BINENC_DEVICE", "cpu")
    on_a(monkeypatch, "cpu", Cost(100, 50, 10))  # 6700 s, as above
    estimate.check(smoke, None, 16, None, yes=False)
    assert "in all about 11 min" in capsys.readouterr().out  # 10 runs
    wide = smoke.model_copy(update={"resources": Resources(threads=4)})
    estimate.check(wide, None, 2, None, yes=True)
    assert "10 runs to train on cpu, 2 threads each" in capsys.readouterr().out


@pytest.mark.parametrize("change", ["batch_size=32", "penultimate=4", "precision=bf16", "dataset=mnist"])
def test_each_size_makes_another_kind(smoke, change):
    names = "digits_mlp", f"digits_mlp,{change}"
    one, other = (smoke.run(name, "as_written", "binary_encoding", 0) for name in names)
    assert estimate.kind(one) != estimate.kind(other)


def test_what_was_measured_on_another_device_is_not_remembered(here, smoke, monkeypatch, tmp_path):
    trained, run = [], smoke.all_runs()[0]
    made = {"wall_seconds": 9.0, "training_seconds": 5.0, "evaluation_seconds": 3.0}
    monkeypatch.setattr(
        training, "train", lambda s, progress: (trained.append(s), (synthetic(s, **made), {}))[1]
    )
    for device in ("a CPU", "another CPU", "a CPU"):
        monkeypatch.setattr(provenance, "provenance", lambda _, device=device: {"device": device})
        estimate.measure(run, 1, tmp_path / "estimate.json")
    assert len(trained) == 2
