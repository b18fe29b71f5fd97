"""Runs by the names in a chapter's parameters, and by a machine's share."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refused

from binenc.choice import choose, shard
from binenc.profile import InputError, Profile


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"profiles": []}, "profiles []"),
        ({"profiles": ["nope"]}, "profile 'nope': allowed are"),
        ({"experiments": ["mnist"]}, "experiment 'mnist': smoke has digits_mlp, digits_cnn"),
        ({"protocols": ["written"]}, "protocol 'written': smoke has as_written"),
        ({"architectures": ["linear"]}, "architecture 'linear': smoke has binary_encoding"),
        ({"seeds": [-1]}, "seed -1: smoke has 0, 1"),
        ({"seeds": ["0"]}, "seed '0': smoke has 0, 1"),
        ({"seeds": [True]}, "seed True: smoke has 0, 1"),
        ({"experiments": ["digits_cnn"], "seeds": [1]}, "seed 1: smoke has 0"),
    ],
)
def test_unknown_names_are_refused_in_one_line(asked, said):
    with pytest.raises(InputError) as error:
        choose(**{"profiles": ["smoke"]} | asked)
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_run_that_no_profile_names_is_trained_by_another_command():
    for profiles, asked, words in (
        (["smoke"], {"experiments": ["digits_mlp,gamma=1"]}, "PROFILE=smoke EXPERIMENT=digits_mlp,gamma=1"),
        (["paper", "smoke"], {"experiments": ["digits_mlp,gamma=1"]}, "PROFILE=smoke EXPERIMENT=digits_mlp,"),
        (
            ["paper"],
            {"protocols": ["as_written,between_class=sample"]},
            "PROFILE=paper EXPERIMENT=mnist PROTOCOL=as_written,between_class=sample",
        ),
    ):
        with pytest.raises(InputError, match=f"; `make run {words}.*` trains another, which .+ runs:$"):
            choose(profiles, **asked)
    with pytest.raises(InputError, match=r"has .*linear_penultimate, [a-z_]+$"):
        choose(["smoke"], architectures=["linear"])


def test_a_name_that_one_of_the_profiles_has_is_enough():
    runs = choose(["paper", "smoke"], experiments=["digits_cnn"])
    assert runs["paper"] == []
    assert {run.experiment_name for run in runs["smoke"]} == {"digits_cnn"}


def test_variants_are_left_out_unless_asked_for():
    names = {run.protocol_name for run in choose(["paper"])["paper"]}
    every = {run.protocol_name for run in choose(["paper"], variants=["protocol"])["paper"]}
    assert names == {"as_written", "as_released"}
    one = "as_written,softmax_twice=true"
    assert one in every
    assert {run.protocol_name for run in choose(["paper"], protocols=[one])["paper"]} == {one}
    other = "digits_mlp,classifier_sgd=0.05"
    assert all("," not in run.id for run in choose(["quick"])["quick"])
    switches = {run.id for run in choose(["quick"], variants=["protocol"])["quick"]}
    assert any("," in name for name in switches)
    assert not any(name.startswith(other) for name in switches)
    assert other in {run.experiment_name for run in choose(["quick"], variants=["experiment"])["quick"]}
    assert {run.id for run in choose(["quick"], experiments=[other], seeds=[1])["quick"]} == {
        f"{other}/as_written/binary_encoding/seed-1"
    }


def test_of_switched_protocols_alone_all_are_chosen(smoke, monkeypatch):
    alone = smoke.model_copy(
        update={"runs": [smoke.runs[0].model_copy(update={"protocols": ["as_written,softmax_twice=true"]})]}
    )
    monkeypatch.setattr(Profile, "read", lambda name: alone)
    assert choose(["smoke"])["smoke"] == alone.all_runs()


@given(st.integers(1, 12))
def test_shards_are_all_runs_once(n):
    runs = Profile.read("quick").all_runs()
    parts = [run.id for i in range(1, n + 1) for run in shard(runs, f"{i}/{n}")]
    assert sorted(parts) == sorted(run.id for run in runs)


@given(st.integers(1, 12))
def test_runs_that_are_compared_stay_in_one_shard(n):
    runs = Profile.read("paper").all_runs()
    whole = {"mnist/as_written/seed-0", "fashion_mnist/as_released/seed-2"}
    for i in range(1, n + 1):
        keys = Counter(
            f"{r.experiment_name}/{r.protocol_name}/seed-{r.seed}" for r in shard(runs, f"{i}/{n}")
        )
        assert {keys[key] for key in whole & keys.keys()} <= {4}
    sizes = [len(shard(runs, f"{i}/4")) for i in range(1, 5)]
    assert max(sizes) - min(sizes) <= 4


def test_an_empty_shard_is_refused(smoke):
    cases = {(r.experiment_name, r.protocol_name, r.seed) for r in smoke.all_runs()}
    refused(lambda: shard(smoke.all_runs(), "99/99"), "shard '99/99'", f"at most {len(cases)}")


@pytest.mark.parametrize("part", ["", "1", "0/2", "3/2", "-1/2", "1/0", "1/2/3", "a/b", " 1/2", "1.0/2"])
def test_refused_shard(part):
    refused(lambda: shard([], part), f"shard {part!r}", "i/n")
