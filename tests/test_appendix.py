"""The generated pages: all runs with their final numbers, and how each page and record was made."""

from binenc.words import number
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
    assert said.count("::::{dropdown}") == 3  # digits_mlp as written and as released, digits_cnn
    assert "dropout: first_epoch" in said
