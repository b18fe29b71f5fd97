"""One file there and back: the same bytes, all or nothing, and nothing but records of known runs."""

import contextlib
import dataclasses
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from synthetic import synthetic

from binenc import exchange, records
from binenc.profile import ROOT, InputError, Profile


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """An empty results folder."""
    monkeypatch.setattr(records, "RESULTS", tmp_path / "here")
    return tmp_path / "here"


@pytest.fixture
def packed(tmp_path, monkeypatch, smoke) -> Path:
    """Three of the smoke profile's records, exported on another machine."""
    with monkeypatch.context() as patch:
        patch.setattr(records, "RESULTS", tmp_path / "there")
        for run in smoke.all_runs()[:3]:
            records.save(synthetic(run), records.folder(smoke, run), weights=None)
        (tmp_path / "there/smoke" / smoke.all_runs()[0].id / "weights.safetensors").write_bytes(b"large")
        exchange.export(smoke, tmp_path / "smoke.tar")
    return tmp_path / "smoke.tar"


@pytest.fixture
def export_instead(packed, tmp_path, monkeypatch, smoke):
    """Export again, with another record of the first run."""

    def export(record: records.Record) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(records, "RESULTS", tmp_path / "there")
            records.save(record, records.folder(smoke, smoke.all_runs()[0]))
            exchange.export(smoke, packed)

    return export


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def repack(source: Path, change) -> Path:
    """The file with its members changed: ``change`` gets a dict of (TarInfo, content) by name."""
    with tarfile.open(source) as opened:
        members = {m.name: (m, opened.extractfile(m).read()) for m in opened}
    change(members)
    target = source.with_name("changed.tar")
    with tarfile.open(target, "w") as opened:
        for member, content in members.values():
            member.size = len(content) if member.isreg() else 0
            opened.addfile(member, io.BytesIO(content))
    return target


def refused(source: Path, here: Path) -> str:
    """The one line that says why a file is refused, after which nothing is there."""
    with pytest.raises(InputError) as error:
        exchange.add(source)
    assert files(here) == {}
    assert "\n" not in str(error.value)
    assert str(source) in str(error.value)
    assert str(error.value).endswith("nothing was added")
    return str(error.value)


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


def test_an_empty_folder_is_no_record(here, smoke, capsys):
    """The engine makes the folder before the training starts."""
    records.folder(smoke, smoke.all_runs()[0]).mkdir(parents=True)
    assert records.find(smoke, smoke.all_runs()[0]) is None
    assert capsys.readouterr().err == ""


def test_what_a_killed_import_left_is_removed_when_it_is_old(packed, here):
    old, new = here / "smoke/.import-old", here / "smoke/.import-new"
    for left in (old, new):
        left.mkdir(parents=True)
    os.utime(old, (1, 1))
    exchange.add(packed)
    assert not old.exists()
    assert new.exists()


@pytest.mark.parametrize("share", [0, 0.01, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file_adds_nothing(packed, here, share):
    content = packed.read_bytes().rstrip(b"\0")  # after which tar only pads
    packed.write_bytes(content[: int(share * len(content))])
    refused(packed, here)


def test_a_file_cut_between_members_lacks_them(packed, here, smoke):
    def drop(members):
        members.popitem()

    assert "lacks" in refused(repack(packed, drop), here)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_flipped_bit_is_never_taken_in(packed, here, data):
    """It is refused, or was in what tar does not use (padding, owner) and all records are as sent."""
    content = bytearray(packed.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    flipped = packed.with_name("flipped.tar")
    flipped.write_bytes(content)
    sent = files(packed.parent / "there")
    shutil.rmtree(here, ignore_errors=True)
    with contextlib.suppress(InputError):
        exchange.add(flipped)
    for name, found in files(here).items():
        assert found == sent[name]


def test_foreign_files_are_refused(here, tmp_path):
    foreign = tmp_path / "foreign.tar"
    for content in (b"", b"PK\x03\x04 hello", b"\0" * 10240, os.urandom(5000)):
        foreign.write_bytes(content)
        refused(foreign, here)
    refused(tmp_path / "nowhere.tar", here)
    refused(tmp_path, here)
    with tarfile.open(foreign, "w") as opened:
        opened.add(ROOT / "Makefile", "Makefile")
    assert "not a file of exported records" in refused(foreign, here)


def test_a_list_of_too_many_brackets_is_refused(packed, here):
    def nest(members):
        members[exchange.LIST] = (members[exchange.LIST][0], b"[" * 100_000)

    assert "not a file of exported records" in refused(repack(packed, nest), here)


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "smoke/../../outside", "smoke/stray.txt"])
def test_a_member_that_is_not_listed_is_refused(packed, here, name):
    def change(members):
        members[name] = (tarfile.TarInfo(name), b"x")

    assert name in refused(repack(packed, change), here)
    assert not (here.parent / "outside").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE]
)
def test_links_and_devices_are_refused(packed, here, smoke, kind):
    name = f"smoke/{smoke.all_runs()[0].id}/arrays.npz"

    def change(members):
        members[name][0].type, members[name][0].linkname = kind, "/etc/passwd"

    assert "not a plain file" in refused(repack(packed, change), here)


def test_a_name_that_stands_twice_is_refused(packed, here, smoke):
    def change(members):
        members["again"] = members[f"smoke/{smoke.all_runs()[0].id}/run.json"]

    assert "stands twice" in refused(repack(packed, change), here)


def rewrite(members: dict, run_id: str, **changes) -> None:
    """Change run.json of a record, and the list with it, as someone does who knows the format."""
    name = f"smoke/{run_id}/run.json"
    content = json.dumps(json.loads(members[name][1]) | changes).encode()
    members[name] = (members[name][0], content)
    listed = json.loads(members[exchange.LIST][1])
    listed["runs"][run_id] = exchange.hashlib.sha256(content).hexdigest()
    members[exchange.LIST] = (members[exchange.LIST][0], json.dumps(listed).encode())


def test_another_configuration_is_refused_and_named(packed, here, smoke):
    run = smoke.all_runs()[1]
    other = run.configuration | {"experiment": run.configuration["experiment"] | {"gamma": 3.0}}
    changed = repack(packed, lambda members: rewrite(members, run.id, configuration=other))
    said = refused(changed, here)
    assert "configuration.experiment.gamma is 3.0, not 10.0" in said
    assert run.id in said


def test_a_record_under_another_name_is_refused(packed, here, smoke):
    run = smoke.all_runs()[1]
    assert "else" in refused(repack(packed, lambda members: rewrite(members, run.id, id="else")), here)


@pytest.mark.parametrize(
    "change",
    [
        {"classes": "0123456789"},
        {"n_parameters": None},
        {"versions": {"torch": 2}},
        {"device": "a | b"},
        {"device": "{download}`../../secret`"},
        {"data_checksum": "![](/../../secret)"},
        {"versions": {"torch": "[a](b)"}},
        {"commit": "<b>"},
        {"classes": ["<script>"]},
    ],
)
def test_what_a_report_could_not_read_is_refused_and_named(packed, here, smoke, change):
    run = smoke.all_runs()[1]
    said = refused(repack(packed, lambda members: rewrite(members, run.id, **change)), here)
    assert f"{run.id}: run.json: {next(iter(change))}" in said


def test_every_record_that_ships_can_be_read_by_a_report():
    for path in sorted((ROOT / "results").glob("*/*/*/*/seed-*/run.json")):
        exchange.Contents.model_validate_json(path.read_text())


def test_other_sources_are_refused_unless_the_profile_is_recorded(packed, here, smoke, monkeypatch):
    changed = repack(packed, lambda members: rewrite(members, smoke.all_runs()[1].id, code="0" * 64))
    assert "other sources" in refused(changed, here)
    recorded = smoke.model_copy(update={"recorded": True})
    monkeypatch.setattr(Profile, "read", lambda name: recorded)
    assert set(exchange.add(changed)[1].values()) == {"added"}


def test_an_unknown_run_or_profile_is_refused(packed, here, smoke):
    def run(members):
        text = members[exchange.LIST][1].decode().replace("/seed-0", "/seed-77")
        members[exchange.LIST] = (members[exchange.LIST][0], text.encode())

    def profile(members):
        text = members[exchange.LIST][1].decode().replace('"smoke"', '"../smoke"')
        members[exchange.LIST] = (members[exchange.LIST][0], text.encode())

    assert "seed-77' is not a run of profile smoke" in refused(repack(packed, run), here)
    assert "profile '../smoke'" in refused(repack(packed, profile), here)


@pytest.mark.parametrize("change", [{"value": "text"}, {"epoch": 0.5}])
def test_a_history_of_other_columns_is_refused(packed, export_instead, here, smoke, change):
    record = synthetic(smoke.all_runs()[0])
    export_instead(dataclasses.replace(record, history=record.history.assign(**change)))
    assert "history" in refused(packed, here)


def without_an_epoch(record):
    last = record.history.epoch == record.history.epoch.max()
    return dataclasses.replace(record, history=record.history[~last])


def without_test_points(record):
    return dataclasses.replace(record, history=record.history[record.history.split == "train"])


def without_a_codebook(record):
    rest = {name: array for name, array in record.arrays.items() if name != "codebook"}
    return dataclasses.replace(record, arrays=rest)


def with_text_for_a_codebook(record):
    return dataclasses.replace(record, arrays=record.arrays | {"codebook": np.array([[["x"]]])})


def with_a_flat_codebook(record):
    return dataclasses.replace(record, arrays=record.arrays | {"codebook": record.arrays["codebook"][0]})


@pytest.mark.parametrize(
    ("change", "lack"),
    [
        (without_an_epoch, "history lacks accuracies"),
        (without_test_points, "history lacks accuracies"),
        (without_a_codebook, "arrays.npz lacks 'codebook'"),
        (with_text_for_a_codebook, "arrays.npz: 'codebook' is no array of numbers in 3 dimensions"),
        (with_a_flat_codebook, "arrays.npz: 'codebook' is no array of numbers in 3 dimensions"),
    ],
)
def test_a_record_without_what_a_report_reads_is_refused(packed, export_instead, here, smoke, change, lack):
    run = smoke.all_runs()[0]
    export_instead(change(synthetic(run)))
    assert f"{run.id}: {lack}" in refused(packed, here)


def test_the_command_says_one_line(tmp_path):
    line = [sys.executable, "-m", "binenc.exchange", "import", str(tmp_path / "no.tar")]
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


def test_a_field_that_the_profile_lacks_is_a_difference():
    assert exchange.first_difference({"a": 1, "b": 2}, {"a": 1}) == "configuration.b is 2, not None"


def test_a_run_json_that_its_list_does_not_name_is_refused(packed, here, smoke):
    name = f"smoke/{smoke.all_runs()[0].id}/run.json"

    def change(members):
        members[name] = members[name][0], members[name][1].replace(b"far away", b"near by.")

    assert "run.json has another checksum" in refused(repack(packed, change), here)
