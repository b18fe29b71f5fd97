"""Both protocols, row by row of what the paper's text and its released code say."""

import pytest
from pydantic import ValidationError

from binenc.protocol import AS_RELEASED, AS_WRITTEN, PROTOCOLS, Protocol

ROWS = {  # field: (as written, as released)
    "softmax_twice": (False, True),
    "dropout": ("every_epoch", "first_epoch"),
    "learning_rate": ("halved", "constant"),
    "loss_bin": ("exp_of_mean", "exp_of_mean"),
    "cnn_dense_layers": (2, 3),
    "class_of_point": ("label", "prediction"),
    "max_angle_pairs": ("distinct", "with_self"),
    "between_class": ("papyan", "sample"),
}


@pytest.mark.parametrize("field", ROWS)
def test_row(field):
    assert (getattr(AS_WRITTEN, field), getattr(AS_RELEASED, field)) == ROWS[field]


def test_no_other_field():
    assert set(Protocol.model_fields) == set(ROWS)
    assert {"as_written": AS_WRITTEN, "as_released": AS_RELEASED} == PROTOCOLS


@pytest.mark.parametrize("field", ROWS)
def test_what_a_field_decides_fits_a_cell_of_a_table(field):
    assert "\n" not in Protocol.model_fields[field].description


@pytest.mark.parametrize("field", [f for f, (a, b) in ROWS.items() if a != b])
def test_each_difference_can_be_switched_alone(smoke, field):
    value = str(getattr(AS_RELEASED, field)).lower()
    run = smoke.run("digits_mlp", f"as_written,{field}={value}", "binary_encoding", 0)
    differing = {f for f in ROWS if getattr(run.protocol, f) != getattr(AS_WRITTEN, f)}
    assert differing == {field}
    assert getattr(run.protocol, field) == getattr(AS_RELEASED, field)


def test_a_protocol_cannot_be_changed_or_misspelled():
    with pytest.raises(ValidationError):
        AS_WRITTEN.dropout = "first_epoch"
    with pytest.raises(ValidationError):
        Protocol(**AS_WRITTEN.model_dump(), drop_out="first_epoch")
