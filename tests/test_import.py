"""An import takes in nothing but whole records of known runs, made as their profile says."""

import contextlib
import dataclasses
import os
import shutil
import tarfile

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from packing import files, refused, repack, rewrite
from synthetic import synthetic

from binenc import records
from binenc.commands import exchange
from binenc.profile import ROOT, InputError, Profile


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


@pytest.mark.parametrize(
    ("rotation", "said"),
    [
        (None, "arrays.npz lacks 'rotation'"),
        (np.eye(3), "'rotation' is no orthogonal matrix of the latents' dimension"),
        (2 * np.eye(4), "'rotation' is no orthogonal matrix of the latents' dimension"),
        (np.eye(4)[::-1], ""),
    ],
)
def test_the_record_of_a_rotated_run_has_its_rotation(tmp_path, monkeypatch, here, rotation, said):
    quick = Profile.read("quick")
    run = quick.run("digits_mlp,classifier_rotated=true", "as_written", "binary_encoding", 0)
    record = synthetic(run)
    arrays = record.arrays | ({} if rotation is None else {"rotation": rotation})
    with monkeypatch.context() as patch:
        patch.setattr(records, "RESULTS", tmp_path / "there")
        records.save(dataclasses.replace(record, arrays=arrays), records.folder(quick, run))
        exchange.export(quick, tmp_path / "quick.tar")
    if said:
        assert f"{run.id}: " in (refusal := refused(tmp_path / "quick.tar", here))
        assert said in refusal
    else:
        assert list(exchange.add(tmp_path / "quick.tar")[1].values()) == ["added"]


def test_a_field_that_the_profile_lacks_is_a_difference():
    assert exchange.first_difference({"a": 1, "b": 2}, {"a": 1}) == "configuration.b is 2, not None"


def test_a_run_json_that_its_list_does_not_name_is_refused(packed, here, smoke):
    name = f"smoke/{smoke.all_runs()[0].id}/run.json"

    def change(members):
        members[name] = members[name][0], members[name][1].replace(b"far away", b"near by.")

    assert "run.json has another checksum" in refused(repack(packed, change), here)
