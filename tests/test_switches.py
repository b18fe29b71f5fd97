"""What single differences of the protocols do, on tables whose numbers are known."""

import math
from types import SimpleNamespace

import pandas as pd
import pytest
import torch
from scipy import stats
from test_claims import BINARY, NONE, paper_world, table

from binenc.claims import switches
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


def test_the_lead_is_told_under_each_difference_of_the_training_by_itself():
    """Not under another reading, nor under what changes a measure alone."""
    t = study_table()
    measured = t[t.protocol == TWICE].assign(protocol="as_written,class_of_point=prediction")
    constant = t[(t.protocol == TWICE) & (t.architecture != NONE)].assign(
        protocol="as_written,learning_rate=constant"
    )
    found = SimpleNamespace(table=pd.concat([t, measured, constant]), title=lambda *key: "/".join(key))
    assert switches.one_at_a_time(found) == (
        "- **One difference at a time** (quick/digits_mlp; seed 0). Lead of binary encoding over the best of "
        "the others in test accuracy, in percentage points: +1.99 to +2.00 as written (prediction "
        "interval of one more seed, 95 %: +1.97 to +2.03); −1.00 with `softmax_twice=true`; −1.01 to −0.997 "
        "as released."
    )
    for without in (TWICE, RELEASED):
        found.table = t[t.protocol != without]
        assert switches.one_at_a_time(found) == ""


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
    measured = t.assign(protocol=t.protocol.replace(MEAN, "as_written,class_of_point=prediction"))
    added = switches.completed(measured).iloc[len(t) :]
    assert set(added.metric) == set(t.metric) - switches.CHANGES["class_of_point"] >= {"accuracy", "std"}
    assert set(added.seed) == {0}


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
        assert "multiplies every Tr(Sw Sb⁺)/C by (C − 1)/C where" in switches.NO_RUN[field]
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
        "`loss_bin`: exp_of_mean → mean_of_exp, another reading",
        "As released",
    ]
    lead = shown["Lead, test"]
    assert lead[0].startswith("+2.0")
    assert "to" in lead[0]  # the range over three seeds
    assert lead[1] == "−1.00"


def test_sentences_follow_the_numbers(numbers):
    said = switches.sentences(numbers, 0)
    first, second = said.splitlines()
    assert "`softmax_twice` alone, from `false` to `true`" in first
    assert "beyond the reach of a seed" in first
    assert "the lead in test accuracy from +2.00 to −1.00 percentage points" in first
    assert "`loss_bin`" in second


def test_what_a_switch_leaves_as_it_is_is_said_so(numbers):
    same = numbers.copy()
    gap = same.number == "test_gap"
    same.loc[gap & (same.protocol == TWICE), "value"] = same[
        gap & (same.protocol == WRITTEN) & (same.seed == 0)
    ].value.item()
    first = switches.sentences(same, 0).splitlines()[0]
    assert "leaves unchanged: the lead in test accuracy" in first
    assert "lead in test accuracy from" not in first
    same.loc[gap & (same.protocol == TWICE), "value"] += 1e-6
    first = switches.sentences(same, 0).splitlines()[0]
    assert "leaves unchanged, at these digits: the lead in test accuracy" in first


def test_without_a_switch_the_sentence_says_so(numbers):
    both = numbers[numbers.protocol.isin([WRITTEN, RELEASED])]
    assert switches.sentences(both, 0) == "No run with a single difference is recorded here."
    assert "`softmax_twice`" in switches.missing(both)
    assert "`softmax_twice`" not in switches.missing(numbers)
    alone = numbers[numbers.protocol == TWICE]
    assert "has no record to compare yet" in switches.sentences(alone, 0)


@pytest.mark.parametrize("values", [[1.0, 2.0, 4.0], [0.0, 0.1]])
def test_the_reach_of_a_seed_is_the_prediction_interval(values):
    seeds = pd.Series(values)
    n, scale = len(values), seeds.std() * math.sqrt(1 + 1 / len(values))
    low, high = stats.t.interval(0.95, n - 1, seeds.mean(), scale)
    for inside in (low + 1e-6, high - 1e-6):
        assert "within" in switches.against(inside, seeds)
    for outside in (low - 1e-6, high + 1e-6):
        assert "beyond" in switches.against(outside, seeds)
    assert "no second seed" in switches.against(0.0, seeds[:1])


def test_more_than_one_change_has_a_row_and_is_no_switch(numbers):
    both = f"{TWICE},dropout=first_epoch"
    more = pd.concat([numbers, numbers[numbers.protocol == TWICE].assign(protocol=both)])
    assert "As written but softmax_twice=true, dropout=first_epoch" in set(
        switches.table_of(more, 0)["Protocol"]
    )
    assert switches.sentences(more, 0) == switches.sentences(numbers, 0)


def test_a_switch_of_the_released_code_is_compared_with_it():
    assert switches._row("as_released,softmax_twice=false") == "As released, `softmax_twice`: true → false"


def test_the_figure_has_a_line_for_every_protocol(numbers):
    figure = effects.draw_switches(numbers, 0)
    assert len(figure.axes) == 4
    assert len(figure.axes[0].get_yticklabels()) == 4
