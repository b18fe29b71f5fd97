"""What is staged for the book: chapters, pages of runs, and the lines about them."""

from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from binenc.profile import Profile
from pipeline import stage


@pytest.mark.parametrize(("name", "tag"), [("intro", "remove-input"), ("encoding", "hide-input")])
@pytest.mark.parametrize("injected", [True, False])
def test_code_of_a_chapter_goes_out_of_the_way(tmp_path, monkeypatch, name, tag, injected):
    monkeypatch.setattr(stage, "STAGE", tmp_path)
    (tmp_path / "book").mkdir()
    tags = [["parameters"], *[["injected-parameters"]] * injected, []]
    cells = [new_markdown_cell("# A"), *(new_code_cell("1", metadata={"tags": t}) for t in tags)]
    path = tmp_path / f"{name}.ipynb"
    nbformat.write(new_notebook(cells=cells), path)
    stage.stage_chapter(path)
    page = nbformat.read(tmp_path / "book" / path.name, as_version=4)
    code = [cell.metadata.tags[-1] for cell in page.cells if cell.cell_type == "code"]
    assert code == ["remove-cell" if injected else tag, *[tag] * injected, tag]
    assert page.cells[-1].source.startswith(f":::{{div}} provenance\n{stage.LINE}")


def test_links_in_html_lead_to_pages_and_others_stay(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "STAGE", tmp_path)
    (tmp_path / "book").mkdir()
    said = '<a href="claims.ipynb#claim-5">5</a> <a href="intro.ipynb">a.ipynb</a> <a href="b.md">b</a>'
    output = new_output("display_data", {"text/html": said, "text/plain": "claims.ipynb"})
    nbformat.write(new_notebook(cells=[new_code_cell("1", outputs=[output])]), tmp_path / "encoding.ipynb")
    stage.stage_chapter(tmp_path / "encoding.ipynb")
    data = nbformat.read(tmp_path / "book/encoding.ipynb", as_version=4).cells[0].outputs[0].data
    expected = '<a href="claims.html#claim-5">5</a> <a href="intro.html">a.ipynb</a> <a href="b.md">b</a>'
    assert data == {"text/html": expected, "text/plain": "claims.ipynb"}


def test_markdown_that_says_nothing_is_not_staged(tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "STAGE", tmp_path)
    (tmp_path / "book").mkdir()
    said = [{"text/markdown": text, "text/plain": "<Markdown object>"} for text in ("", "a", "")]
    outputs = [new_output("stream", text="b"), *(new_output("display_data", data) for data in said)]
    nbformat.write(new_notebook(cells=[new_code_cell("1", outputs=outputs)]), tmp_path / "encoding.ipynb")
    stage.stage_chapter(tmp_path / "encoding.ipynb")
    stream, shown = nbformat.read(tmp_path / "book/encoding.ipynb", as_version=4).cells[0].outputs
    assert (stream.text, shown.data["text/markdown"]) == ("b", "a")


def test_the_line_of_a_report_counts_the_records_of_each_profile(pages, smoke):
    quick = Profile.read("quick")
    other = [stage.Page(quick, quick.all_runs()[0], Path(), pages[0].record)]
    line = stage.report_line([smoke, quick], pages + other)
    assert line.endswith(
        f"profile smoke ({len(pages)} records, a machine far away), quick (1 record, a machine far away)"
    )


def test_built_pages_and_their_sources_say_of_which_report_they_are(tmp_path):
    line = 'a "GPU" & more · ü'
    (tmp_path / "line.txt").write_text(line)
    (built := tmp_path / "html/_sources").mkdir(parents=True)
    nbformat.write(new_notebook(cells=[new_markdown_cell(stage.LINE)]), built / "a.ipynb")
    (built / "b.md").write_text(f"of {stage.LINE}, twice: {stage.LINE}")
    (built.parent / "a.html").write_text(f"<p>{stage.LINE}</p>")
    (built.parent / "a.js").write_text(stage.LINE)
    stage.fill_in(built.parent, tmp_path)
    assert nbformat.read(built / "a.ipynb", as_version=4).cells[0].source == line
    assert (built / "b.md").read_text() == f"of {line}, twice: {line}"
    assert (built.parent / "a.html").read_text() == "<p>a &quot;GPU&quot; &amp; more · ü</p>"
    assert (built.parent / "a.js").read_text() == stage.LINE


def test_a_run_without_its_page_or_its_record_is_not_staged(made, smoke, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "BUILD", tmp_path)
    first = smoke.all_runs()[0]
    path = tmp_path / f"pages/smoke/{first.id}.ipynb"
    path.parent.mkdir(parents=True)
    path.touch()
    assert [page.run for page in stage.run_pages(smoke)] == [first]


def test_the_page_of_a_run_says_which_and_how_it_was_trained(pages, tmp_path, monkeypatch):
    monkeypatch.setattr(stage, "STAGE", tmp_path)
    page = next(page for page in pages if page.run.seed == 1)
    page.record.run["wall_seconds"] = 123.4
    nbformat.write(new_notebook(cells=[new_markdown_cell("# A run\n\nOf one.")]), page.path)
    stage.stage_run(page)
    run = "digits_mlp/as_written/binary_encoding/seed-1"
    staged = nbformat.read(tmp_path / f"book/runs/smoke/{run}.ipynb", as_version=4)
    assert staged.metadata.nosearch
    heading, foot = staged.cells
    assert heading.source == "# Digits (MLP), as written: Binary encoding, seed 1\n\nOf one."
    assert (
        "Profile smoke · trained 2020-02-20 from commit cccccccccc on a machine far away in 123 s "
        "· draw again: `make run PROFILE=smoke EXPERIMENT=digits_mlp PROTOCOL=as_written "
        f"ARCH=binary_encoding SEED=1` · train again and compare: `make verify PROFILE=smoke RUN={run}` · "
    ) in foot.source
