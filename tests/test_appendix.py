"""The generated pages: all runs with their final numbers, and how each page and record was made."""

import os
import re

import pytest

from binenc.text.words import number
from pipeline import appendix


def test_the_table_of_runs_has_the_final_numbers_of_each_record(pages):
    lines = appendix.table(pages, "All.").splitlines()
    assert lines[3].startswith(
        "| Runs | Architecture | Seed | Test accuracy | Train accuracy | Whole-code share |"
    )
    for page, line in zip(pages, lines[5:-1], strict=True):
        shown = [("accuracy", "test"), ("accuracy", "train"), ("code_share", "train")]
        shown += [("distinct_codebook_rows", "train"), ("std", "train"), ("tr_sw_sb", "train")]
        numbers = " | ".join(number(page.record.final(*what), 4) for what in shown)
        assert f"](</{page.name}.ipynb>) | {page.run.seed} | {numbers} | smoke |" in line


def test_a_number_that_a_record_lacks_is_a_dash_and_zero_is_a_number(pages):
    record = pages[0].record
    assert appendix.final(record, "of later versions", "train") == "–"
    record.last["accuracy", "train"] = 0.0
    assert appendix.final(record, "accuracy", "train") == "0"


def test_the_status_says_how_each_page_and_record_was_made(pages, tmp_path):
    chapter = tmp_path / "neural_collapse.ipynb"
    chapter.write_text('{"metadata": {}}')
    said = appendix.status(pages, [chapter], "smoke")
    assert "| [Neural collapse](/book/neural_collapse.ipynb) | – | – | `make book PROFILE=smoke` |" in said
    assert f".ipynb>) | 12.3 | 567 | `{pages[0].command}` |" in said
    assert "| 2020-02-20T20:20:20+00:00 | a machine far away, 2 threads | cccccccccc | 1.0 |" in said
    assert f"| digits | `{'d' * 64}` |" in said
    assert re.findall(r"::::{dropdown} (.+)\n.+; seeds (.+)\.\n", said) == [
        ("Smoke: Digits (MLP), as written", "0, 1"),
        ("Smoke: Digits (MLP), as released", "0"),
        ("Smoke: Digits (CNN), as written", "0"),
    ]
    assert "dropout: first_epoch" in said


def test_a_record_from_before_a_field_shares_its_configuration_with_later_ones(pages):
    before = appendix.configurations(pages)
    assert "classifier_sgd: 0.0" in before[0]
    del pages[0].record.run["configuration"]["experiment"]["classifier_sgd"]
    assert appendix.configurations(pages) == before


def test_versions_are_those_of_the_report_and_then_those_of_the_records(pages, monkeypatch):
    monkeypatch.setattr(appendix.platform, "python_version", lambda: "3.99.0")
    monkeypatch.setattr(appendix.importlib.metadata, "version", lambda name: f"9 of {name}")
    pages[1].record.run["versions"] = {"torch": "2.10.0"}
    said = appendix.status(pages, [], "smoke")
    assert "| Package | Report | Records |" in said
    assert "| python | 3.99.0 | 3.11.0 |" in said
    assert "| torch | 9 of torch | 2.10.0, 2.9.0 |" in said
    assert "| scipy | 9 of scipy | – |" in said


def test_memory_is_in_gibibytes(monkeypatch):
    monkeypatch.setattr(os, "sysconf", {"SC_PHYS_PAGES": 3 * 2**20, "SC_PAGE_SIZE": 4096}.__getitem__)
    here, *there = appendix.hardware([{"device": name} for name in "bab"])
    assert "cores, 12 GiB memory" in here
    assert there == ["Records: a", "Records: b"]


@pytest.mark.parametrize(
    ("group", "title", "runs"),
    [
        ("digits_mlp/as_written", "Digits (MLP), as written", 5),
        ("digits_mlp/as_released", "Digits (MLP), as released", 4),
        ("digits_cnn/as_written", "Digits (CNN), as written", 1),
    ],
)
def test_the_page_of_a_group_has_its_title_and_its_runs(pages, tmp_path, group, title, runs):
    index = tmp_path / "stage/book/runs/index.md"
    index.parent.mkdir(parents=True)
    index.touch()
    appendix.write(tmp_path / "stage", pages, [], "smoke")
    text = (index.parent / "smoke" / group / "index.md").read_text()
    assert text.startswith(f"# {title}\n\nProfile Smoke. ")
    assert text.count(f"| {title} | ") == text.count(".ipynb>)") == runs
