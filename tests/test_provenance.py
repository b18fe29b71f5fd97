"""What a record says of where it was made."""

import subprocess
import sys

import pytest
import torch

from binenc import provenance


def commit(folder) -> None:
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "Another project")):
        subprocess.run(["git", *words], cwd=folder, check=True)


def test_a_copy_within_another_repository_has_not_its_commit(tmp_path, monkeypatch):
    inside = tmp_path / "binenc"
    inside.mkdir()
    commit(tmp_path)
    monkeypatch.setattr(provenance, "ROOT", inside)
    assert provenance.git("rev-parse", "HEAD") == ""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert len(provenance.git("rev-parse", "HEAD")) == 40


def test_the_commit_is_that_of_the_code_as_it_was_loaded(monkeypatch):
    loaded = provenance.checkout()
    monkeypatch.setattr(provenance, "git", lambda *words: "another commit")
    made = provenance.provenance(torch.device("cpu"))
    assert {key: made[key] for key in loaded} == loaded
    code = (
        "import binenc.training; from binenc import provenance as p; print(p.checkout.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "1"


@pytest.mark.parametrize(
    ("changed", "dirty"), [("book/a.md", False), ("binenc/a.py", True), ("profiles/a.yml", True)]
)
def test_changes_are_those_of_code_and_profiles(tmp_path, monkeypatch, changed, dirty):
    commit(tmp_path)
    (tmp_path / changed).parent.mkdir()
    (tmp_path / changed).touch()
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert provenance.checkout.__wrapped__()["dirty"] is dirty
