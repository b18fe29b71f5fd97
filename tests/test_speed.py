"""The page of the benchmark: what was measured here, then what is recorded; what is missing is said."""

import json
from pathlib import Path

import pytest

from bench import __main__ as bench
from pipeline import speed

MADE = {
    "hardware": {"cpu": "a CPU", "cores": 2, "vector_instructions": "AVX2", "gpu": None},
    "load_before": 0.25,
    "commit": "c" * 40,
    "dirty": False,
    "date": "2026-01-02T03:04:05+00:00",
    "versions": {"torch": "2.9.0"},
}
OTHER = MADE | {"hardware": MADE["hardware"] | {"vector_instructions": "AVX512"}}
ROW = {"part": "A step", "unit": "ms", "ours": 2.0, "baseline": 3456.0, "limit": None, "ratio": 1728.0}
ROW |= {"share": None, "goals": {"ratio": 2}, "note": "A note."}


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps({"cpu": [MADE | {"rows": [ROW]}, OTHER | {"rows": [ROW]}]}))
    monkeypatch.setattr(speed, "RECORDED", path)


def test_what_is_recorded_is_shown_and_the_rest_named(recorded, tmp_path):
    page = speed.page(tmp_path)
    assert "recorded with the repository: a CPU, AVX2, 2 cores, GPU: none" in page
    assert page.index("AVX2, 2 cores") < page.index("AVX512, 2 cores")
    assert [page.count(f":name: tab-speed-cpu-{n}\n") for n in (1, 2, 3)] == [1, 1, 0]
    assert "| A step | ms | 2 | 3456 | 1728 | ratio 2: met |" in page
    assert "- A step: A note." in page
    assert "Not measured yet: `make bench PART=gpu`, `make bench PART=build`, `make bench PART=bf16`." in page


def test_machines_stand_side_by_side_with_what_they_reached_of_each_goal():
    slow = ROW | {"ratio": 1.5, "goals": {"ratio": 2, "at most": 1}}
    text = "\n".join(speed.side_by_side("cpu", [MADE | {"rows": [ROW]}, OTHER | {"rows": [slow]}]))
    text = text.replace("\N{NO-BREAK SPACE}", " ")
    assert "1: a CPU, AVX2; 2: a CPU, AVX512." in text
    assert "| A step | ratio 2 | 1728 ✓ | 1.50 ✗ |" in text
    assert "| A step | at most 1 ms | – | 2 ✗ |" in text


def test_what_misses_its_goal_by_little_is_not_written_as_the_goal():
    row = ROW | {"ours": 180.04, "ratio": 2.498, "goals": {"ratio": 2.5, "at most": 180}}
    table = speed.table([row, row | {"ours": 180.0, "ratio": 2.5}])
    assert "| 180.04 | 3456 | 2.498 | ratio 2.5: **missed**, at most 180 ms: **missed** |" in table
    assert "| 180 | 3456 | 2.50 | ratio 2.5: met, at most 180 ms: met |" in table


def test_a_single_machine_has_one_table(tmp_path, monkeypatch):
    path = tmp_path / "recorded.json"
    path.write_text(json.dumps({"cpu": [MADE | {"rows": [ROW]}]}))
    monkeypatch.setattr(speed, "RECORDED", path)
    assert speed.page(tmp_path).count(":::{table}") == 1


def test_what_was_measured_here_goes_before(recorded, tmp_path):
    missed = ROW | {"ours": 1.0, "share": 0.5, "goals": {"ratio": 2, "share": 0.8}}
    (tmp_path / "bench.json").write_text(json.dumps({"cpu": MADE | {"rows": [missed]}}))
    page = speed.page(tmp_path)
    row = "| A step | ms | 1 | 3456 | 1728 | 0.500 | ratio 2: met, share 0.8: **missed** |"
    assert page.index("on the machine of this report") < page.index(row) < page.index("recorded with the")
    assert page.count("| A step | ms |") == 3


def test_what_was_measured_stays_when_the_writing_is_cut(tmp_path, monkeypatch):
    def cut(path: Path, text: str) -> None:
        path.write_bytes(text[:9].encode())
        raise KeyboardInterrupt

    known = tmp_path / "_build/bench.json"
    known.parent.mkdir()
    known.write_text('{"cpu": "known"}')
    monkeypatch.setattr(bench, "ROOT", tmp_path)
    monkeypatch.setattr(bench.building, "rows", lambda: [ROW])
    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", cut)
        with pytest.raises(KeyboardInterrupt):
            bench.main(["build"])
    assert json.loads(known.read_text()) == {"cpu": "known"}
    bench.main(["build"])
    assert json.loads(known.read_text())["build"]["rows"] == [ROW]


def test_columns_are_those_that_a_row_fills():
    bare = {"part": "A build", "unit": "s", "ours": 2.0, "goals": {"at most": 1}, "note": ""}
    assert speed.table([bare]).splitlines()[::2] == [
        "| Part | Unit | Ours | Goal |",
        "| A build | s | 2 | at most 1 s: **missed** |",
    ]
    assert speed.table([bare, ROW]).splitlines()[2] == "| A build | s | 2 | – | – | at most 1 s: **missed** |"


def test_differences_of_bf16_that_seeds_do_not_explain_are_named():
    row = {"split": "test", "metric": "accuracy", "difference_low": -0.1, "difference_high": 0.2}
    other = row | {"metric": "epoch_loss", "difference_low": 0.1}
    assert speed.beyond([row]).endswith("leaves out 0: 0 of 1.")
    assert speed.beyond([row, other]).endswith("leaves out 0: 1 of 2, Loss, in training (test).")


def test_differences_of_bf16_that_are_below_0_count_too():
    row = {"split": "test", "metric": "accuracy", "difference_low": -0.2, "difference_high": -0.1}
    assert speed.beyond([row]).endswith("leaves out 0: 1 of 1, Accuracy (test).")


def test_the_table_of_bf16_has_its_columns_in_order():
    row = {"split": "test", "metric": "accuracy", "seeds": 3, "float32": 0.9, "bf16": 0.8, "difference": -0.1}
    row |= {f"{key}_std": 0.01 for key in ("float32", "bf16", "difference")}
    assert (
        speed.effect([row]).splitlines()[-1]
        == "| test | Accuracy | 0.900 ± 0.010 | 0.800 ± 0.010 | −0.100 ± 0.010 |"
    )
