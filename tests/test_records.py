"""Records: whole or not at all, the same that were saved, and those of this configuration alone."""

import ast
import dataclasses
import itertools
import json
import os
import shutil

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from safetensors.torch import load_file
from stored import make, same

from binenc import records
from binenc.profile import ROOT
from binenc.protocol import Protocol
from binenc.records import Record

pytestmark = pytest.mark.usefixtures("results")
COLUMNS = ["experiment", "protocol", "architecture", "seed", "epoch", "split", "metric", "value"]
CORRUPTIONS = {
    "truncated history": lambda p: truncate(p / "history.parquet"),
    "truncated arrays": lambda p: truncate(p / "arrays.npz"),
    "altered history": lambda p: flip(p / "history.parquet"),
    "altered arrays": lambda p: flip(p / "arrays.npz"),
    "no history": lambda p: (p / "history.parquet").unlink(),
    "no arrays": lambda p: (p / "arrays.npz").unlink(),
    "no run.json": lambda p: (p / "run.json").unlink(),
    "empty run.json": lambda p: (p / "run.json").write_text(""),
    "truncated run.json": lambda p: truncate(p / "run.json"),
    "binary run.json": lambda p: (p / "run.json").write_bytes(b"\xff\x00"),
    "a list as run.json": lambda p: (p / "run.json").write_text("[]"),
    "no checksums": lambda p: (p / "run.json").write_text("{}"),
    "checksums of nothing": lambda p: (p / "run.json").write_text('{"files": {}}'),
}


def truncate(path):
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


@pytest.fixture
def path(smoke, run):
    return records.folder(smoke, run)


def test_folder_is_the_id(run, path, results):
    assert path == results / "smoke" / run.id


@settings(max_examples=25)
@given(
    st.lists(
        st.tuples(
            st.integers(0, 200), st.sampled_from(["train", "test"]), st.text(max_size=5), st.floats(width=64)
        ),
        min_size=1,
    ),
    st.dictionaries(
        st.sampled_from("abc"),
        st.sampled_from([np.float16, np.float32, np.int8, np.int64, bool]).flatmap(
            lambda kind: arrays(kind, array_shapes(min_dims=0, min_side=0, max_side=3))
        ),
    ),
    st.dictionaries(st.text(), st.recursive(st.integers() | st.text() | st.booleans() | st.none(), st.lists)),
)
def test_round_trip(tmp_path_factory, rows, arrays, content):
    history = pd.DataFrame(rows, columns=["epoch", "split", "metric", "value"])
    record = Record({**content, "id": "x"}, history, arrays)
    record.run.pop("files", None)
    path = tmp_path_factory.mktemp("records") / "a" / "seed-0"
    records.save(record, path)
    assert same(records.load(path), record)
    assert same(records.load(path), record)


def test_files_of_a_record(run, path):
    weights = {"w": torch.arange(6.0).reshape(2, 3)}
    records.save(make(run), path, weights)
    assert sorted(p.name for p in path.iterdir()) == [
        "arrays.npz",
        "history.parquet",
        "run.json",
        "weights.safetensors",
    ]
    assert torch.equal(load_file(path / "weights.safetensors")["w"], weights["w"])
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    umask = os.umask(0)
    os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o777 & ~umask


def test_nothing_is_pickled(smoke, run, path):
    record = make(run)
    record.arrays["objects"] = np.array([{}, None], dtype=object)
    with pytest.raises(TypeError, match="'objects'"):
        records.save(record, path)
    assert not path.parent.exists()
    # A record that someone else wrote is not unpickled either.
    records.save(make(run), path)
    np.savez(path / "arrays.npz", objects=np.array([{}, None], dtype=object))
    content = json.loads((path / "run.json").read_text())
    content["files"]["arrays.npz"] = records._sha256((path / "arrays.npz").read_bytes())
    (path / "run.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match="allow_pickle"):
        records.load(path)
    assert records.find(smoke, run) is None


def test_final_is_of_the_last_epoch(run):
    assert make(run, 0.5).final("accuracy", "test") == 5.5


def test_found_when_saved(smoke, run, path):
    assert records.find(smoke, run) is None
    assert not records.is_current(smoke, run)
    with pytest.raises(FileNotFoundError, match="no record"):
        records.load(path)
    records.save(make(run), path)
    assert same(records.find(smoke, run), make(run))
    assert records.is_current(smoke, run)


def test_saved_again_is_the_new_one(smoke, run, saved):
    records.save(make(run, 9.0), saved)
    assert same(records.find(smoke, run), make(run, 9.0))
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]


@pytest.mark.parametrize("experiment", ["digits_mlp,gamma=9", "digits_mlp,epochs=7"])
def test_another_configuration_is_not_current(smoke, run, saved, experiment):
    changed = smoke.run(experiment, "as_written", "binary_encoding", 0)
    other = smoke.model_copy(update={"experiments": {"digits_mlp": changed.experiment}})
    run = other.run("digits_mlp", "as_written", "binary_encoding", 0)
    assert records.folder(other, run) == saved
    assert not records.is_current(other, run)
    assert records.find(other, run) is None
    assert len(records.tabulate(other, [run])) == 0
    assert saved.exists()


def test_a_field_that_came_later_has_its_default_in_records_of_before(smoke, run, saved, monkeypatch):
    class Later(Protocol):
        weight_decay: float = 0.0

    monkeypatch.setattr(records, "Protocol", Later)
    for decay in (0.0, 0.1):
        protocol = Later(**run.protocol.model_dump(), weight_decay=decay)
        now = dataclasses.replace(run, protocol=protocol)
        assert records.is_current(smoke, now) is (decay == 0)


def test_another_title_is_current(smoke, saved):
    titled = smoke.experiments["digits_mlp"].model_copy(update={"title": "Ziffern"})
    other = smoke.model_copy(update={"title": "Rauch", "experiments": {"digits_mlp": titled}})
    run = other.run("digits_mlp", "as_written", "binary_encoding", 0)
    assert records.is_current(other, run)
    assert records.find(other, run) is not None


def test_other_code_is_current_only_where_records_are_kept(smoke, run, saved, monkeypatch):
    monkeypatch.setattr(records, "code_version", lambda: "another")
    assert not records.is_current(smoke, run)
    assert records.find(smoke, run) is None
    assert len(records.tabulate(smoke, [run])) == 0
    kept = smoke.model_copy(update={"recorded": True})
    assert records.is_current(kept, run)
    assert same(records.find(kept, run), records.load(saved))
    assert len(records.tabulate(kept, [run])) == 6
    without = kept.model_copy(update={"runs": [b for b in kept.runs if "as_written" not in b.protocols]})
    assert not records.is_current(without, run)


def test_code_version_is_that_of_the_sources_of_a_record(tmp_path):
    copy = tmp_path / "binenc"
    shutil.copytree(ROOT / "binenc", copy)
    versions = {records.code_version(copy)}
    sources = ("training", "models", "layers", "loss", "protocol", "data", "metrics/__init__", "metrics/em")
    for n, name in enumerate(sources, start=2):
        (copy / f"{name}.py").write_text("# otherwise")
        records.code_version.cache_clear()
        versions.add(records.code_version(copy))
        assert len(versions) == n, name
    (copy / "figures.py").write_text("# drawn otherwise")
    (copy / "metrics/.#em.py").symlink_to("someone@somewhere.1")  # an editor's lock
    records.code_version.cache_clear()
    assert records.code_version(copy) in versions


def test_what_trains_and_measures_is_a_source_of_a_record():
    """But for what says what to run, and what names and keeps the numbers."""
    others = {"binenc.profile", "binenc.provenance", "binenc.records"}
    package = ROOT / "binenc"
    paths = [path for pattern in records.TRAINING_SOURCES for path in package.glob(pattern)]
    sources = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in paths
    }
    asked = set()
    for node in itertools.chain(*(ast.walk(ast.parse(path.read_text())) for path in paths)):
        if isinstance(node, ast.ImportFrom) and node.module.startswith("binenc"):
            within = {f"{node.module}.{name.name}" for name in node.names}
            modules = {name for name in within if (ROOT / name.replace(".", "/")).with_suffix(".py").exists()}
            asked |= modules or {node.module}
    assert asked >= {"binenc.data", "binenc.metrics.em", "binenc.loss"}
    assert asked - sources <= others


@pytest.mark.parametrize("name", CORRUPTIONS)
@pytest.mark.parametrize("read", [records.find, records.is_current])
def test_corrupt_record_is_named_and_set_aside(smoke, run, saved, name, read, capfd):
    CORRUPTIONS[name](saved)
    with pytest.raises(ValueError, match=f"corrupt record {saved}"):
        records.load(saved)
    assert not read(smoke, run)
    said = capfd.readouterr().err
    assert str(saved) in said
    assert "set aside as seed-0.corrupt" in said
    assert said.count("\n") == 1
    assert [p.name for p in saved.parent.iterdir()] == ["seed-0.corrupt"]
    assert not records.is_current(smoke, run)
    records.save(make(run), saved)
    assert records.find(smoke, run) is not None


def test_corrupt_record_is_left_out_of_the_table(smoke, run, saved, capfd):
    fine = smoke.run("digits_mlp", "as_written", "binary_encoding", 1)
    records.save(make(fine), records.folder(smoke, fine))
    truncate(saved / "history.parquet")
    table = records.tabulate(smoke, [run, fine])
    assert set(table.seed) == {1}
    assert f"corrupt record {saved}: history.parquet" in capfd.readouterr().err
    assert not saved.exists()


@pytest.mark.parametrize("error", [ValueError("another checksum"), FileNotFoundError("no record")])
def test_a_record_that_is_just_being_replaced_is_read_again(smoke, run, saved, monkeypatch, capfd, error):
    read, reads = records._read, []

    def too_early(path, *names):
        reads.append(path)
        if len(reads) == 1:
            raise error
        return read(path, *names)

    monkeypatch.setattr(records, "_read", too_early)
    assert records.find(smoke, run) is not None
    assert capfd.readouterr().err == ""


def test_corrupt_twice_keeps_the_later(smoke, run, saved):
    truncate(saved / "history.parquet")
    records.find(smoke, run)
    records.save(make(run), saved)
    truncate(saved / "arrays.npz")
    records.find(smoke, run)
    aside = saved.with_name("seed-0.corrupt")
    assert (aside / "history.parquet").read_bytes()[-4:] == b"PAR1"


def test_table(smoke):
    runs = [
        smoke.run(*names)
        for names in (
            ("digits_mlp", "as_written", "no_penultimate", 2),
            ("digits_mlp,gamma=1", "as_released", "binary_encoding", 0),
            ("digits_cnn", "as_written", "binary_encoding", 1),
        )
    ]
    for value, run in enumerate(runs[:2]):
        records.save(make(run, value), records.folder(smoke, run))
    table = records.tabulate(smoke, runs)
    expected = pd.concat(
        [
            make(run, value).history.assign(
                experiment=run.experiment_name,
                protocol=run.protocol_name,
                architecture=run.architecture,
                seed=run.seed,
            )
            for value, run in enumerate(runs[:2])
        ],
        ignore_index=True,
    )[COLUMNS]
    pd.testing.assert_frame_equal(table, expected)
    nothing = records.tabulate(smoke, runs[2:])
    assert list(nothing.columns) == COLUMNS
    assert len(nothing) == 0
    assert list(map(str, nothing.dtypes)) == list(map(str, table.dtypes))
