"""What single differences of the protocols do, on tables whose numbers are known."""

import math

import pandas as pd
import pytest
import torch
from test_claims import BINARY, NONE, paper_world, table

from binenc.claims import moves, switches
from binenc.figures import effects
from binenc.metrics import measure
from binenc.protocol import AS_RELEASED, AS_WRITTEN

WRITTEN, RELEASED = "as_written", "as_released"
TWICE, MEAN = "as_written,softmax_twice=true", "as_written,loss_bin=mean_of_exp"
WORSE = {("accuracy", BINARY): (0.5, 0.9, 0.95)}


def study_table() -> pd.DataFrame:
    """As written binary encoding leads by 2 points, as released and under one switch it is 1 point behind."""
    world = paper_world()
    single = table(world | WORSE, seeds=1, noise=0.0, protocol=TWICE)
    reading = table(world | WORSE, seeds=1, noise=0.0, protocol=MEAN)
    reading = reading[reading.architecture == BINARY]
    written, released = table(world, noise=1e-5), table(world | WORSE, noise=1e-5, protocol=RELEASED)
    t = pd.concat([written, single, reading, released], ignore_index=True)
    return t


@pytest.fixture
def numbers() -> pd.DataFrame:
    return switches.headlines(study_table())


def value(numbers: pd.DataFrame, protocol: str, name: str, seed: int = 0) -> float:
    found = numbers[(numbers.protocol == protocol) & (numbers.number == name) & (numbers.seed == seed)]
    return found.value.item()


@pytest.mark.parametrize(
    ("protocol", "lead"), [(WRITTEN, 2.0), (TWICE, -1.0), (MEAN, -1.0), (RELEASED, -1.0)]
)
@pytest.mark.parametrize("name", ["test_gap", "train_gap"])
def test_the_lead_is_over_the_best_of_the_others(numbers, protocol, lead, name):
    assert value(numbers, protocol, name) == pytest.approx(lead, abs=0.02)


def test_each_number_is_of_its_own_points():
    world = paper_world() | {
        ("accuracy", BINARY, "test"): (0.5, 0.9, 0.975),
        ("code_share", BINARY, "test"): (0.1, 0.5, 0.7),
        ("tr_sw_sb", BINARY, "test"): (1.0, 0.5, 0.2),
    }
    numbers = switches.headlines(table(world, noise=0.0))
    found = {name: value(numbers, WRITTEN, name) for name in switches.HEADLINES}
    known = {"test_gap": 1.5, "train_gap": 2.0, "code_share": 0.999, "tr_sw_sb": 0.01}
    assert found == pytest.approx(known)


def test_the_first_seed_is_the_least_of_the_switched_protocols(numbers):
    assert switches.first_seed(numbers[numbers.protocol == WRITTEN]) == 0
    later = numbers.assign(seed=numbers.seed + 2 * (numbers.protocol == TWICE))
    assert switches.first_seed(later[later.protocol != MEAN]) == 2


def test_a_better_other_shortens_the_lead():
    better = paper_world() | {("accuracy", NONE): (0.5, 0.9, 0.97)}
    assert value(switches.headlines(table(better)), WRITTEN, "test_gap") == pytest.approx(1.0, abs=0.01)


def test_a_lead_over_others_that_are_not_all_there_is_not_told():
    t = study_table()
    t = t[~((t.architecture == NONE) & (t.protocol == TWICE))]
    numbers = switches.headlines(t)
    assert math.isnan(value(numbers, TWICE, "test_gap"))
    assert value(numbers, TWICE, "code_share") == pytest.approx(0.999)


def test_architectures_that_a_switch_cannot_change_are_taken_from_its_base():
    t = study_table()
    full = switches.completed(t)
    assert len(full[full.protocol == MEAN]) == len(full[full.protocol == TWICE])
    assert len(full[full.protocol == TWICE]) == len(t[t.protocol == TWICE])


def test_what_a_switch_of_the_measures_cannot_change_is_that_of_its_base():
    """Also for binary encoding, whose own run may have been trained on another machine."""
    other = "as_written,class_of_point=prediction"
    t = study_table()
    t = t.assign(protocol=t.protocol.replace(MEAN, other))
    full = switches.completed(t)
    key = ["architecture", "seed", "epoch", "split", "metric"]
    base, mine = (
        full[(full.protocol == p) & (full.seed == 0)].set_index(key).value for p in (WRITTEN, other)
    )
    assert mine.index.is_unique
    own = t[t.protocol == other].set_index(key).value
    changes = mine.index.isin(switches.CHANGES["class_of_point"], level="metric")
    pd.testing.assert_series_equal(mine[~changes].sort_index(), base[mine.index[~changes]].sort_index())
    pd.testing.assert_series_equal(mine[changes].sort_index(), own[mine.index[changes]].sort_index())
    assert set(mine.index.get_level_values("metric")) >= {"accuracy", "code_share"}
    assert {"accuracy"} <= set(own.index.get_level_values("metric"))


@pytest.mark.parametrize("field", [field for field in switches.CHANGES if field != "loss_bin"])
def test_what_a_switch_of_the_measures_changes(field):
    g = torch.Generator().manual_seed(0)
    labels, weight = torch.arange(400) % 5, torch.randn(5, 12, generator=g)
    latents = weight[labels] + 2 * torch.randn(400, 12, generator=g)
    written, other = (
        measure(latents @ weight.T, latents, labels, weight, protocol)
        for protocol in (AS_WRITTEN, AS_WRITTEN.model_copy(update={field: getattr(AS_RELEASED, field)}))
    )
    moved = {name for name in written if written[name] != other[name]}
    assert moved <= switches.CHANGES[field]
    if field == "between_class":  # five classes of one size
        assert other["tr_sw_sb"] / written["tr_sw_sb"] == pytest.approx(4 / 5)
        assert "multiplies every Tr(Sw Sb⁺)/C by (C − 1)/C where" in moves.NO_RUN[field]
    assert len(moved) >= 0.8 * len(switches.CHANGES[field])  # the least distance of codes may be the same


def test_a_reading_of_the_binary_loss_is_not_taken_for_another():
    t = study_table()
    t = pd.concat([t, t[t.metric == "accuracy"].assign(metric="loss_bin")], ignore_index=True)
    full = switches.completed(t)
    added = full[(full.protocol == MEAN) & (full.architecture != BINARY)]
    assert "accuracy" in set(added.metric)
    assert "loss_bin" not in set(added.metric)


def test_only_what_is_known_of_a_protocol_with_one_change():
    assert switches.switched(TWICE) == ("as_written", "softmax_twice", "true")
    assert switches.switched(WRITTEN) is None
    assert switches.switched(f"{TWICE},dropout=first_epoch") is None


def test_rows_go_from_as_written_to_as_released(numbers):
    shown = switches.table_of(numbers, 0)
    assert list(shown["Protocol"]) == [
        "As written",
        "`softmax_twice`: false → true",
        "`loss_bin`: exp_of_mean → mean_of_exp, in neither protocol",
        "As released",
    ]
    lead = shown["Lead, test"]
    assert lead[0].startswith("+2.0")
    assert "to" in lead[0]  # the range over three seeds
    assert lead[1] == "−1.00"


def test_more_than_one_change_has_a_row(numbers):
    both = f"{TWICE},dropout=first_epoch"
    more = pd.concat([numbers, numbers[numbers.protocol == TWICE].assign(protocol=both)])
    assert "As written but softmax_twice=true, dropout=first_epoch" in set(
        switches.table_of(more, 0)["Protocol"]
    )


def test_a_switch_of_the_released_code_is_compared_with_it():
    assert switches._row("as_released,softmax_twice=false") == "As released, `softmax_twice`: true → false"


def test_the_figure_has_a_line_for_every_protocol(numbers):
    figure = effects.draw_switches(numbers, 0)
    assert len(figure.axes) == 4
    assert len(figure.axes[0].get_yticklabels()) == 4
