"""What a record says of where it was made."""

import subprocess

from binenc import provenance


def test_a_copy_within_another_repository_has_not_its_commit(tmp_path, monkeypatch):
    inside = tmp_path / "binenc"
    inside.mkdir()
    who = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    for words in (("init", "-q"), (*who, "commit", "-q", "--allow-empty", "-m", "Another project")):
        subprocess.run(["git", *words], cwd=tmp_path, check=True)
    monkeypatch.setattr(provenance, "ROOT", inside)
    assert provenance.git("rev-parse", "HEAD") == ""
    monkeypatch.setattr(provenance, "ROOT", tmp_path)
    assert len(provenance.git("rev-parse", "HEAD")) == 40
