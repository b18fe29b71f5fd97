"""What the README says of the verdicts is written out of the records, whole or not at all."""

import os
import re
import shutil
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from worlds import paper_world, table

from binenc.claims.judging import judge_table
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
    findings = "- **Apart** first_epochs\n- **Axes**"
    monkeypatch.setattr(readme.front, "findings", lambda found, changed: findings)
    monkeypatch.setattr(readme.front, "at_length", lambda found, judged: "- **Later** than first")
    t = table(paper_world())
    judged = judge_table(pd.concat([t.assign(profile="first_epochs"), t]))
    monkeypatch.setattr(readme.claims, "judge", lambda found: judged)
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
    for live, age in (("a", 9), ("z", 99)):
        older = tmp_path / f"_build/chapters/{live}/figures" / figure.name
        older.parent.mkdir(parents=True)
        older.write_text("an older figure")
        os.utime(older, (figure.stat().st_mtime - age,) * 2)
    readme.main(["first_epochs"])
    written = (tmp_path / "README.md").read_text()
    shown, folded = written.split("<details><summary>Shorter and smaller runs</summary>\n\n")
    assert "Claim · first_epochs" in shown
    assert "Claim · quick" in folded
    assert "Claim · quick" not in shown
    assert folded.endswith("\n- **Later** than first\n\n</details>\n\n<!-- /verdicts -->\n")
    assert "\n- **Apart** first_epochs\n" in shown
    assert "| 10 | The three architectures" in written
    assert (
        "\n- **Axes**\n\n<details><summary>The numbers behind these verdicts</summary>\n\n|  | Num" in written
    )
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


def test_the_readme_says_what_the_profiles_hold():
    text = (ROOT / "README.md").read_text()
    rows = {
        row[1].strip(" `"): row for row in (line.split("|") for line in text.splitlines()) if len(row) > 5
    }
    for name in ("smoke", "quick", "first_epochs", "paper"):
        runs = Profile.read(name).all_runs()
        whole = [run for run in runs if "," not in run.id] if name == "paper" else runs
        switched = len(runs) - len(whole)
        said = re.findall(r"\d+", rows[name][4].partition(", of ")[0])
        assert [int(n) for n in said] == [len(whole), *[switched] * bool(switched)], name


def test_a_profile_without_records_is_not_judged_in_the_readme(monkeypatch):
    monkeypatch.setattr(readme.study, "read", lambda names: SimpleNamespace(profiles=["quick"], runs={}))
    with pytest.raises(InputError, match="paper: no record to judge by"):
        readme.main(["quick", "paper"])
