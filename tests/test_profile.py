"""Profiles: what they enumerate, and what they refuse, in one line each."""

import re

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from binenc import profile as module
from binenc.profile import ARCHITECTURES, PROFILES, ROOT, Experiment, InputError, Profile, shard
from binenc.protocol import AS_WRITTEN

NAMES = sorted(path.stem for path in PROFILES.glob("*.yml"))
SMOKE = (PROFILES / "smoke.yml").read_text()


def refused(call, *words) -> str:
    with pytest.raises(InputError) as caught:
        call()
    said = str(caught.value)
    assert "\n" not in said
    assert [word for word in words if word not in said] == [], said
    return said


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


def test_the_three_profiles_are_there():
    assert {"smoke", "quick", "paper"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_profile_is_valid(name):
    profile = Profile.read(name)
    runs = profile.all_runs()
    ids = [run.id for run in runs]
    assert profile.name == name
    assert len(set(ids)) == len(ids) > 0
    assert all(re.fullmatch(r"([\w,=.+-]+/){3}seed-\d+", i, re.ASCII) for i in ids)
    assert all("\n" not in run.title and ARCHITECTURES[run.architecture] in run.title for run in runs)
    for run in runs:
        assert profile.run(run.experiment_name, run.protocol_name, run.architecture, run.seed) == run


def grid(experiments, protocols, seeds):
    return {
        f"{e}/{p}/{a}/seed-{s}" for e in experiments for p in protocols for a in ARCHITECTURES for s in seeds
    }


def test_quick_has_its_28_runs_and_single_differences():
    both = ["as_written", "as_released"]
    expected = grid(["digits_mlp"], both, range(3)) | grid(["digits_cnn"], ["as_written"], [0])
    assert len(expected) == 28
    runs = {run.id: run for run in Profile.read("quick").all_runs()}
    assert expected <= set(runs)
    assert {run.experiment.dataset for run in runs.values()} == {"digits"}
    assert all(runs[i].protocol_name.startswith("as_written,") for i in set(runs) - expected)


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
        assert set(found) - set(expected) == {"title", "precision"}
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


@given(st.integers(1, 20))
def test_shards_are_all_runs_once(n):
    runs = Profile.read("quick").all_runs()
    parts = [run.id for i in range(1, n + 1) for run in shard(runs, f"{i}/{n}")]
    assert sorted(parts) == sorted(run.id for run in runs)


@pytest.mark.parametrize("part", ["", "1", "0/2", "3/2", "-1/2", "1/0", "1/2/3", "a/b", " 1/2", "1.0/2"])
def test_refused_shard(part):
    refused(lambda: shard([], part), f"shard {part!r}", "i/n")


def test_changed_fields(smoke):
    base = smoke.run("digits_mlp", "as_written", "binary_encoding", 0)
    run = smoke.run("digits_mlp,gamma=1,width=32", "as_written,softmax_twice=true", "binary_encoding", 0)
    assert (run.experiment.gamma, run.experiment.width) == (1.0, 32)
    assert type(run.experiment.gamma) is float
    unchanged = {"title", "gamma", "width"}
    assert run.experiment.model_dump(exclude=unchanged) == base.experiment.model_dump(exclude=unchanged)
    assert run.protocol == AS_WRITTEN.model_copy(update={"softmax_twice": True})
    assert run.id == "digits_mlp,gamma=1,width=32/as_written,softmax_twice=true/binary_encoding/seed-0"
    assert run.title == (
        "Digits (MLP) (gamma=1, width=32), as written but softmax_twice=true: Binary encoding, seed 0"
    )
    assert base.title == "Digits (MLP), as written: Binary encoding, seed 0"


@given(st.floats(0, 1e6) | st.integers(0, 10**6))
def test_any_number_can_be_written_in_its_own_notation(smoke, value):
    run = smoke.run(f"digits_mlp,gamma={value}", "as_written", "binary_encoding", 0)
    assert run.experiment.gamma == value


def test_a_configuration_is_all_but_names_and_title(smoke):
    run = smoke.run("digits_mlp", "as_written", "binary_encoding", 1)
    configuration = run.configuration
    assert set(configuration) == {"experiment", "protocol", "architecture", "seed"}
    assert set(configuration["experiment"]) == set(Experiment.model_fields) - {"title"}
    assert configuration["protocol"] == AS_WRITTEN.model_dump()
    for other in (
        smoke.run("digits_mlp,gamma=9", "as_written", "binary_encoding", 1),
        smoke.run("digits_mlp", "as_written,dropout=first_epoch", "binary_encoding", 1),
        smoke.run("digits_mlp", "as_written", "linear_penultimate", 1),
        smoke.run("digits_mlp", "as_written", "binary_encoding", 2),
    ):
        assert other.configuration != configuration


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ({"experiment": "digitz"}, ["experiment 'digitz'", "digits_mlp, digits_cnn"]),
        ({"protocol": "as_writen"}, ["protocol 'as_writen'", "as_written, as_released"]),
        ({"architecture": "binary"}, ["architecture 'binary'", ", ".join(ARCHITECTURES)]),
        ({"architecture": None}, ["architecture None", ", ".join(ARCHITECTURES)]),
        ({"seed": -1}, ["seed -1", "integers from 0"]),
        ({"seed": 2**32}, ["seed 4294967296", "integers from 0"]),
        ({"seed": "0"}, ["seed '0'", "integers from 0"]),
        ({"seed": 1.0}, ["seed 1.0", "integers from 0"]),
        ({"seed": True}, ["seed True", "integers from 0"]),
        ({"experiment": "digits_mlp,gama=1"}, ["experiment field 'gama'", "gamma"]),
        ({"experiment": "digits_mlp,title=x"}, ["experiment field 'title'", "gamma"]),
        ({"experiment": "digits_mlp,gamma=big"}, ["gamma", "number", "'big'"]),
        ({"experiment": "digits_mlp,gamma=-1"}, ["gamma", "greater than or equal to 0", "-1"]),
        ({"experiment": "digits_mlp,gamma=.nan"}, ["gamma", "nan"]),
        ({"experiment": "digits_mlp,gamma=inf"}, ["gamma", "finite", "inf"]),
        ({"experiment": "digits_mlp,epochs=010"}, ["epochs", "integer", "'010'"]),
        ({"experiment": "digits_mlp,batch_size=0x20"}, ["batch_size", "integer", "'0x20'"]),
        ({"experiment": "digits_mlp,epochs=1_0"}, ["epochs", "integer", "'1_0'"]),
        ({"experiment": "digits_mlp,width=3.5"}, ["width", "integer", "3.5"]),
        ({"experiment": "digits_mlp,dropout_rate=1"}, ["dropout_rate", "less than 1"]),
        ({"experiment": "digits_mlp,backbone=cnn"}, ["channels: the cnn takes 5 numbers", "not 0"]),
        (
            {"experiment": "digits_mlp,dataset=cifar"},
            ["dataset", "'mnist', 'fashion_mnist' or 'digits'", "'cifar'"],
        ),
        ({"experiment": "digits_mlp,gamma"}, ["field=value", "'gamma'"]),
        ({"experiment": "digits_mlp,gamma="}, ["field=value", "'gamma='"]),
        ({"experiment": "digits_mlp,"}, ["field=value"]),
        ({"experiment": "digits_mlp,gamma=1/2"}, ["field=value", "'gamma=1/2'"]),
        ({"experiment": "digits_mlp,gamma=$(id)"}, ["field=value"]),
        ({"experiment": "digits_mlp,epochs=5,gamma=1,epochs=6"}, ["epochs stands twice", "once"]),
        ({"protocol": "as_written,softmax_twice=true,softmax_twice=true"}, ["softmax_twice stands twice"]),
        ({"protocol": "as_written,dropout=never"}, ["dropout", "'every_epoch' or 'first_epoch'", "'never'"]),
        ({"protocol": "as_written,softmax_twice=2"}, ["softmax_twice", "boolean", "2"]),
        ({"protocol": "as_written,cnn_dense_layers=4"}, ["cnn_dense_layers", "2 or 3", "4"]),
    ],
)
def test_refused_run(smoke, words, said):
    names = {
        "experiment": "digits_mlp",
        "protocol": "as_written",
        "architecture": "binary_encoding",
        "seed": 0,
    }
    refused(lambda: smoke.run(**names | words), *said)


def as_change():
    field = st.sampled_from([*Experiment.model_fields, *type(AS_WRITTEN).model_fields]) | st.text()
    return st.builds("{},{}={}".format, st.sampled_from(["digits_mlp", "as_written"]), field, st.text())


@given(st.text() | as_change(), st.text() | as_change())
def test_no_name_leaves_the_folder_of_results(smoke, experiment, protocol):
    for names in ((experiment, "as_written"), ("digits_mlp", protocol)):
        try:
            run = smoke.run(*names, "binary_encoding", 0)
        except InputError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017
        else:
            assert re.fullmatch(r"([\w,=.+-]+/){3}seed-0", run.id, re.ASCII)
            assert (ROOT / run.id).resolve() == ROOT / run.id


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
