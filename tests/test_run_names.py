"""Runs by name: what a changed field does, and what is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from refusing import refused

from binenc.profile import ARCHITECTURES, ROOT, Experiment, InputError
from binenc.protocol import AS_WRITTEN


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
        ({"experiment": "digits_mlp,backbone=cnn"}, ["experiment field 'backbone'", "width"]),
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
        ({"experiment": f"digits_mlp,gamma=1.{250 * '0'}"}, ["too long to name a folder", "255"]),
        ({"protocol": "as_written,dropout=never"}, ["dropout", "'every_epoch' or 'first_epoch'", "'never'"]),
        ({"protocol": "as_written,softmax_twice=2"}, ["softmax_twice", "boolean", "2"]),
        ({"protocol": "as_written,softmax_twice=True"}, ["softmax_twice", "true or false", "'True'"]),
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
