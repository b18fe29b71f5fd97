"""Profiles: what they enumerate, and what they refuse, in one line each."""

import re

import pytest
import yaml
from refusing import refused

from binenc import profile as module
from binenc.profile import ARCHITECTURES, PROFILES, Profile

NAMES = sorted(path.stem for path in PROFILES.glob("*.yml"))
SMOKE = (PROFILES / "smoke.yml").read_text()


@pytest.fixture
def read(tmp_path, monkeypatch):
    """Read a profile, given as text or as what stands in it."""
    monkeypatch.setattr(module, "PROFILES", tmp_path)

    def read(content) -> Profile:
        text = content if isinstance(content, str | bytes) else yaml.safe_dump(content, sort_keys=False)
        (tmp_path / "mine.yml").write_bytes(text if isinstance(text, bytes) else text.encode())
        return Profile.read("mine")

    return read


@pytest.fixture
def content() -> dict:
    return yaml.safe_load(SMOKE)


@pytest.mark.parametrize("name", NAMES)
def test_profile_is_valid(name):
    profile = Profile.read(name)
    runs = profile.all_runs()
    ids = [run.id for run in runs]
    assert len(set(ids)) == len(ids) > 0
    assert all(re.fullmatch(r"([\w,=.+-]+/){3}seed-\d+", i, re.ASCII) for i in ids)
    assert all("\n" not in run.title and ARCHITECTURES[run.architecture] in run.title for run in runs)
    for run in runs:
        assert profile.run(*run.key) == run


def grid(experiments, protocols, seeds):
    return {
        f"{e}/{p}/{a}/seed-{s}"
        for e in experiments
        for p in protocols
        for a in list(ARCHITECTURES)[:4]
        for s in seeds
    }


def test_quick_has_its_28_runs_and_single_differences():
    both = ["as_written", "as_released"]
    expected = grid(["digits_mlp"], both, range(3)) | grid(["digits_cnn"], ["as_written"], [0])
    assert len(expected) == 28
    runs = {run.id: run for run in Profile.read("quick").all_runs()}
    assert expected <= set(runs)
    assert {run.experiment.dataset for run in runs.values()} == {"digits"}
    switched = [runs[i] for i in set(runs) - expected]
    assert all("," in run.protocol_name or "," in run.experiment_name for run in switched)
    assert {run.protocol_name.split(",")[0] for run in switched} == {"as_written"}


def test_paper_is_appendix_a():
    paper = Profile.read("paper")
    core = grid(["mnist", "fashion_mnist"], ["as_written", "as_released"], range(3))
    assert len(core) == 48
    assert core <= {run.id for run in paper.all_runs()}
    both = {"dropout_rate": 0.5, "learning_rate": 1e-4, "halve_every": 20, "gamma": 10.0}
    both |= {"epochs": 101, "evaluate_every": 5}
    mnist = {"dataset": "mnist", "backbone": "mlp", "width": 2048, "channels": []}
    mnist |= {"penultimate": 64, "batch_size": 64}
    fashion = {"dataset": "fashion_mnist", "backbone": "cnn", "width": 1024}
    fashion |= {"channels": [64, 128, 256, 256, 512], "penultimate": 128, "batch_size": 128}
    for name, expected in (("mnist", mnist | both), ("fashion_mnist", fashion | both)):
        found = paper.experiments[name].model_dump()
        assert {field: found[field] for field in expected} == expected
        assert set(found) - set(expected) == {"title", "precision", "classifier_sgd", "classifier_rotated"}
        assert paper.experiments[name].evaluated == list(range(0, 101, 5))


def test_first_epochs_begin_as_paper_does():
    paper, first = Profile.read("paper"), Profile.read("first_epochs")
    for name, experiment in paper.experiments.items():
        begun = first.experiments[f"{name}_11_epochs"]
        assert begun == experiment.model_copy(
            update={"title": f"{experiment.title}, 11 of 101 epochs", "epochs": 11}
        )


@pytest.mark.parametrize(
    ("epochs", "every", "expected"),
    [(101, 5, list(range(0, 101, 5))), (1, 5, [0]), (6, 5, [0, 5]), (8, 5, [0, 5, 7]), (3, 1, [0, 1, 2])],
)
def test_evaluated(smoke, epochs, every, expected):
    name = f"digits_mlp,epochs={epochs},evaluate_every={every}"
    assert smoke.run(name, "as_written", "binary_encoding", 0).experiment.evaluated == expected


def test_runs_are_in_the_order_written_and_once(read, content):
    block = {"experiments": ["digits_mlp"], "protocols": ["as_written"], "architectures": ["binary_encoding"]}
    content["runs"] = [block | {"seeds": [3, 1]}, block | {"seeds": [1, 2, 2]}]
    assert [run.seed for run in read(content).all_runs()] == [3, 1, 2]


@pytest.mark.parametrize("name", ["", "papers", "../profiles/smoke", "/etc/passwd", "smoke.yml", None])
def test_unknown_profile(name):
    refused(lambda: Profile.read(name), f"profile {name!r}", ", ".join(NAMES))


def change(content, path, value):
    *parents, last = path
    for key in parents:
        content = content[key]
    content[last] = value


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["titel"], "x", ["titel: unknown key", "title, about"]),
        (["name"], "other", ["name", "that of its file"]),
        (["title"], 3, ["title", "string", "3"]),
        (["recorded"], "yes", ["recorded", "boolean", "'yes'"]),
        (["experiments"], {}, ["experiments", "at least 1"]),
        (["experiments", "../x"], {}, ["'../x'"]),
        (["experiments", "/x"], {}, ["'/x'"]),
        (["experiments", "a b"], {}, ["'a b'"]),
        (["experiments", 1], {}, ["experiments.1", "string"]),
        (["experiments", "digits_mlp", "widht"], 3, ["digits_mlp.widht: unknown key", "width"]),
        (["experiments", "digits_mlp", "width"], "64", ["digits_mlp.width", "integer", "'64'"]),
        (["experiments", "digits_mlp", "width"], 0, ["digits_mlp.width", "greater than 0"]),
        (["experiments", "digits_mlp", "gamma"], True, ["digits_mlp.gamma", "number", "True"]),
        (["experiments", "digits_mlp", "gamma"], "1e-", ["digits_mlp.gamma", "number", "'1e-'"]),
        (["experiments", "digits_mlp", "gamma"], None, ["digits_mlp.gamma", "number", "None"]),
        (["experiments", "digits_mlp", "dataset"], "cifar", ["digits_mlp.dataset", "'mnist'", "'cifar'"]),
        (["experiments", "digits_mlp", "channels"], [1], ["digits_mlp", "channels: the mlp takes 0 numbers"]),
        (
            ["experiments", "digits_cnn", "channels"],
            [8, 8, 0, 8, 8],
            ["digits_cnn.channels.2", "greater than 0"],
        ),
        (
            ["experiments", "digits_cnn", "channels"],
            [8] * 6,
            ["digits_cnn", "the cnn takes 5 numbers", "not 6"],
        ),
        (["resources"], {"gpu": 1}, ["resources.gpu: unknown key", "gpus"]),
        (["resources"], {"threads": 0}, ["resources.threads", "greater than 0"]),
        (["title"], "a | b", ["title", "pattern", "'a | b'"]),
        (["experiments", "digits_mlp", "title"], "<b>", ["digits_mlp.title", "pattern", "'<b>'"]),
        (["runs"], [], ["runs", "at least 1"]),
        (["runs", 0], "all", ["runs.0", "'all'"]),
        (["runs", 0, "seed"], 0, ["runs.0.seed: unknown key", "seeds"]),
        (["runs", 0, "seeds"], [], ["runs.0.seeds", "at least 1"]),
        (["runs", 0, "seeds"], 0, ["runs.0.seeds", "list", "0"]),
        (["runs", 0, "seeds"], [-1], ["seed -1", "integers from 0"]),
        (["runs", 0, "seeds"], ["0"], ["runs.0.seeds.0", "integer", "'0'"]),
        (["runs", 0, "experiments"], [], ["runs.0.experiments", "at least 1"]),
        (["runs", 0, "experiments"], ["mnist"], ["experiment 'mnist'", "digits_mlp, digits_cnn"]),
        (["runs", 0, "protocols"], ["as_told"], ["protocol 'as_told'", "as_written, as_released"]),
        (["runs", 0, "protocols"], ["as_written,x=1"], ["protocol field 'x'", "softmax_twice"]),
        (["runs", 0, "architectures"], ["all"], ["architecture 'all'", "binary_encoding"]),
    ],
)
def test_refused_profile(read, content, path, value, said):
    change(content, path, value)
    refused(lambda: read(content), "profiles/mine.yml: ", *said)


@pytest.mark.parametrize("key", ["title", "about", "experiments", "runs"])
def test_missing_key(read, content, key):
    del content[key]
    refused(lambda: read(content), f"profiles/mine.yml: {key}: Field required")


@pytest.mark.parametrize("text", ["", "# nothing\n", "- a list", "just text"])
def test_profile_without_keys(read, text):
    refused(lambda: read(text), "profiles/mine.yml: holds no keys", "title, about")


@pytest.mark.parametrize("text", ["a: b: c", "a: [1", b"\xff\xfe\x00", "{[]: 1}", "\t"])
def test_profile_that_is_not_yaml(read, text):
    refused(lambda: read(text), "profiles/mine.yml: ")


def test_a_key_that_stands_twice(read):
    twice = SMOKE.replace("    gamma: 10.0", "    gamma: 10.0\n    gamma: 1.0", 1)
    refused(lambda: read(twice), "profiles/mine.yml: gamma: stands twice")


def test_two_experiments_of_one_title(read, content):
    content["experiments"]["digits_cnn"]["title"] = content["experiments"]["digits_mlp"]["title"]
    refused(lambda: read(content), "title 'Digits (MLP)': digits_mlp and digits_cnn share it", "its own")


@pytest.mark.parametrize("text", ["1e-3", "0.001", "1.0e-3", "'0.001'"])
def test_notations_of_a_number(read, text):
    profile = read(SMOKE.replace("learning_rate: 0.001", f"learning_rate: {text}"))
    assert profile.experiments["digits_mlp"].learning_rate == 0.001


def test_whole_numbers_are_read_as_numbers(read):
    assert type(read(SMOKE.replace("gamma: 10.0", "gamma: 10")).experiments["digits_mlp"].gamma) is float


def test_a_profile_names_its_runs_and_not_what_is_tried_beside_them():
    smoke = Profile.read("smoke")
    runs = smoke.all_runs()
    assert all(smoke.names(run) for run in runs)
    binary, cnn = "binary_encoding", "digits_cnn"
    for beside in (
        ("digits_mlp,gamma=1", "as_written", binary, 0),
        ("digits_mlp", "as_released,softmax_twice=false", binary, 0),
        ("digits_mlp", "as_written", binary, 99),
        (cnn, "as_released", binary, 0),
    ):
        run = smoke.run(*beside)
        assert run not in runs
        assert not smoke.names(run)
