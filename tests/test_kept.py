"""What one book leaves to the next: times that say what changed, and nothing where all must be made again."""

import os
from pathlib import Path

import pytest

from pipeline import kept

LONG_AGO = 1_000_000_000


@pytest.fixture
def old(tmp_path) -> Path:
    """A complete stage of long ago, with a book, set aside."""
    stage = lay_out(tmp_path / "stage")
    (stage / "_build").mkdir()
    (stage / "_build/page.html").write_text("written")
    (stage / kept.COMPLETE).touch()
    for path in stage.rglob("*"):
        os.utime(path, (LONG_AGO, LONG_AGO))
    return kept.set_aside(stage)


def lay_out(stage: Path, **changes: str) -> Path:
    """Stage pages as old as their sources, older than the stage that was."""
    content = {"page": "a", "other": "b", "config": "c", "toc": "d", "style": "e", "bib": "f"} | changes
    place = {"config": "_config.yml", "toc": "_toc.yml", "style": "book/_static/s.css", "bib": "book/r.bib"}
    for name, text in content.items():
        path = stage / place.get(name, f"book/{name}.md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        os.utime(path, (LONG_AGO - 9, LONG_AGO - 9))
    kept.write_frame(stage)
    return stage


def test_what_stayed_keeps_its_time_and_what_changed_is_new_however_old(old, tmp_path):
    new = lay_out(tmp_path / "stage", page="changed", added="x")
    kept.carry_over(old, new)
    assert (new / "book/other.md").stat().st_mtime == LONG_AGO
    assert all((new / f"book/{name}.md").stat().st_mtime > LONG_AGO + 1e6 for name in ("page", "added"))
    assert (new / "_build/page.html").read_text() == "written"
    assert not old.exists()


@pytest.mark.parametrize("what", ["config", "toc", "style", "bib"])
def test_what_shapes_every_page_leaves_nothing(old, tmp_path, what):
    new = lay_out(tmp_path / "stage", **{what: "another"})
    kept.carry_over(old, new)
    assert not (new / "_build").exists()
    assert not old.exists()


def test_another_package_leaves_nothing(old, tmp_path, monkeypatch):
    (tmp_path / "site/sphinx-99.dist-info").mkdir(parents=True)
    monkeypatch.setattr(kept.sysconfig, "get_path", lambda _: str(tmp_path / "site"))
    new = lay_out(tmp_path / "stage")
    kept.carry_over(old, new)
    assert not (new / "_build").exists()


def test_a_stage_that_was_not_completed_is_not_kept(tmp_path):
    stage = lay_out(tmp_path / "stage")
    before = kept.set_aside(stage)
    assert not stage.exists()
    assert not before.exists()
    kept.carry_over(before, lay_out(stage))
    assert (stage / "book/page.md").exists()
