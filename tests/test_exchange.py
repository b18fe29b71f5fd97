"""One file there and back: the same bytes, and what is here stays."""

import os
import subprocess
import sys

import pytest
from packing import files
from synthetic import synthetic

from binenc import records
from binenc.commands import exchange
from binenc.profile import ROOT, InputError


def test_there_and_back_bit_for_bit_without_weights(packed, here, smoke, tmp_path):
    _, done = exchange.add(packed)
    runs = smoke.all_runs()[:3]
    assert done == {run.id: "added" for run in runs}
    sent = files(tmp_path / "there")
    assert {k: v for k, v in sent.items() if not k.endswith(".safetensors")} == files(here)
    assert records.find(smoke, runs[0]).run["device"] == "a machine far away"
    assert not list((here / "smoke").glob(".import-*"))


def test_the_same_records_give_the_same_bytes(packed, here, smoke, tmp_path):
    exchange.add(packed)
    for path in here.rglob("*"):
        os.utime(path, (1, 1))
    again = tmp_path / "elsewhere/again.tar"
    exchange.export(smoke, again)
    assert again.read_bytes() == packed.read_bytes()
    assert [path.name for path in again.parent.iterdir()] == ["again.tar"]


def test_nothing_to_export_is_said(here, smoke, tmp_path):
    with pytest.raises(InputError, match="profile smoke: no record to export"):
        exchange.export(smoke, tmp_path / "none.tar")
    assert not (tmp_path / "none.tar").exists()


def test_a_record_that_is_here_stays(packed, here, smoke):
    same, other, _ = runs = smoke.all_runs()[:3]
    records.save(synthetic(same), records.folder(smoke, same))
    records.save(synthetic(other, device="mine"), records.folder(smoke, other))
    before = files(records.folder(smoke, other))
    _, done = exchange.add(packed)
    assert [done[run.id] for run in runs] == ["already here", "kept", "added"]
    assert files(records.folder(smoke, other)) == before


def test_a_broken_record_that_is_here_stays_too(packed, here, smoke):
    folder = records.folder(smoke, smoke.all_runs()[0])
    folder.mkdir(parents=True)
    (folder / "notes.txt").write_text("mine")
    assert exchange.add(packed)[1][smoke.all_runs()[0].id] == "kept"
    assert files(folder) == {"notes.txt": b"mine"}


def test_what_a_killed_import_left_is_removed_when_it_is_old(packed, here):
    old, new = here / "smoke/.import-old", here / "smoke/.import-new"
    for left in (old, new):
        left.mkdir(parents=True)
    os.utime(old, (1, 1))
    exchange.add(packed)
    assert not old.exists()
    assert new.exists()


def test_the_command_says_one_line(tmp_path):
    line = [sys.executable, "-m", "binenc.commands.exchange", "import", str(tmp_path / "no.tar")]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "words", [(), ("import", ""), ("export", "nothing", "x.tar"), ("export", "smoke"), ("steal", "smoke")]
)
def test_what_is_misspelled_is_refused(monkeypatch, words):
    monkeypatch.setattr(sys, "argv", ["exchange", *words])
    with pytest.raises(InputError, match=r"usage|nothing"):
        exchange.main()


def test_an_export_says_how_many_of_the_records_it_has(packed, here, tmp_path, monkeypatch, capsys):
    exchange.add(packed)
    monkeypatch.setattr(sys, "argv", ["exchange", "export", "smoke", str(tmp_path / "again.tar")])
    exchange.main()
    megabytes = f"{packed.stat().st_size / 1e6:.1f}"
    assert capsys.readouterr().out == f"{tmp_path}/again.tar: 3 of 10 records of smoke, {megabytes} MB\n"


def test_a_record_that_was_kept_is_named_and_the_command_fails(packed, here, smoke, monkeypatch, capsys):
    run = smoke.all_runs()[0]
    records.save(synthetic(run, device="mine"), records.folder(smoke, run))
    monkeypatch.setattr(sys, "argv", ["exchange", "import", str(packed)])
    with pytest.raises(SystemExit, match="1"):
        exchange.main()
    said = capsys.readouterr()
    assert said.err.startswith(f"kept here/smoke/{run.id}")
    assert said.out == f"{packed}: profile smoke: 2 added, 1 kept\n"
