"""What the README says of the verdicts is written out of the records, whole or not at all."""

import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from worlds import paper_world, table

from binenc import claim_pages, judging
from binenc.judging import judge_table
from binenc.profile import ROOT, InputError, Profile
from pipeline import readme


def test_the_readme_changes_with_its_figure_or_not_at_all(tmp_path, monkeypatch):
    text = "<!-- verdicts: here -->\n<!-- /verdicts -->\n"
    (tmp_path / "README.md").write_text(text)
    (tmp_path / ".github").mkdir()
    monkeypatch.setattr(readme, "ROOT", tmp_path)
    all_runs = [run for run in Profile.read("first_epochs").all_runs() if "," not in run.id]
    have, lack = all_runs[:-1], all_runs[-1:]
    found = SimpleNamespace(runs={"first_epochs": have}, missing={"first_epochs": lack})
    monkeypatch.setattr(
        readme.study, "read", lambda names, **_: SimpleNamespace(profiles=names, **vars(found))
    )
    monkeypatch.setattr(readme.hypercube, "beyond", lambda found: "- **Axes**")
    judged = judge_table(table(paper_world()))
    monkeypatch.setattr(readme.judging, "judge", lambda found: judged)
    figures = tmp_path / "_build/chapters/quick/figures"
    figures.mkdir(parents=True)
    figure = figures / "emergence-first-epochs-mnist-11-epochs-as-written.svg"
    figure.with_name("emergence-first-epochs-of-another-profile.svg").write_text("another figure")
    with pytest.raises(
        InputError, match=f"no figure {figure.stem}: `make report PROFILE=first_epochs` draws it"
    ):
        readme.main(["first_epochs"])
    assert (tmp_path / "README.md").read_text() == text
    figure.write_text("a figure")
    figure.with_stem(figure.stem.replace("written", "released")).write_text("that of other runs")
    readme.main(["first_epochs"])
    written = (tmp_path / "README.md").read_text()
    assert "of 10 claims, 10 reproduced" in written
    assert "| 10 | The three architectures" in written
    assert "\n- **Axes**\n" in written
    assert f"{len(have)} of {len(all_runs)} runs of `first_epochs`.** Without a record: Fashion" in written
    assert (tmp_path / ".github/emergence.svg").read_text() == "a figure"


def test_verdicts_go_between_the_markers_of_the_readme(tmp_path):
    copy = Path(shutil.copy(ROOT / "README.md", tmp_path))
    before = copy.read_text()
    for said in ("| a |", "| b |"):
        readme.write(copy, said)
    after = copy.read_text()
    assert "| b |" in after
    assert "| a |" not in after
    assert after.startswith(before.partition("<!--")[0])
    assert after.endswith(before.rpartition("-->")[2])


def test_the_readme_folds_all_tables_but_the_first():
    verdicts = judging.to_frame(judge_table(table(paper_world())))
    parts = [verdicts.assign(source=source) for source in ("recorded (paper)", "trained afresh (quick)")]
    first, second = readme.folded(pd.concat(parts))
    assert first == claim_pages.table_markdown(parts[0])
    head, body, tail = second.split("\n\n")  # without the blank lines it would not be read as Markdown
    assert head == "<details><summary>The same claims, trained afresh (quick)</summary>"
    assert body == claim_pages.table_markdown(parts[1])
    assert tail == "</details>"


def test_a_profile_without_records_is_not_judged_in_the_readme(monkeypatch):
    monkeypatch.setattr(readme.study, "read", lambda names: SimpleNamespace(profiles=["quick"], runs={}))
    with pytest.raises(InputError, match="paper: no record to judge by"):
        readme.main(["quick", "paper"])
