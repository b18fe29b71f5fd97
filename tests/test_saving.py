"""A record is saved whole or not at all."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from stored import make, same

from binenc import records
from binenc.profile import ROOT

pytestmark = pytest.mark.usefixtures("results")

KILLED = """
import os, signal, sys
import numpy
from pathlib import Path
from binenc import records
record = records.load(Path(sys.argv[1]))
left = {nth}
def killed(*words, call={call}, **named):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return call(*words, **named)
{call} = killed
records.save(record, Path(sys.argv[2]))
"""


def save_and_be_killed(source, target, call: str, nth: int) -> None:
    """Save the record of ``source`` in ``target``, in a process killed at the nth call of a function."""
    words = [sys.executable, "-c", KILLED.format(call=call, nth=nth), source, target]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr


@pytest.mark.parametrize("call", ["numpy.savez_compressed", "os.rename"])
def test_killed_in_the_middle_there_is_no_record(smoke, run, saved, call):
    new = smoke.run("digits_mlp", "as_written", "linear_penultimate", 0)
    path = records.folder(smoke, new)
    save_and_be_killed(saved, path, call, 1)
    assert not path.exists()
    (draft,) = path.parent.iterdir()  # where the next save looks for it
    assert draft.name.startswith(".seed-0-")
    assert not records.is_current(smoke, new)
    assert records.find(smoke, new) is None
    records.save(make(new), path)
    assert same(records.find(smoke, new), make(new))


@pytest.mark.parametrize(("nth", "left"), [(1, ["seed-0"]), (2, [])])
def test_killed_while_a_record_is_replaced(smoke, run, saved, tmp_path, nth, left):
    records.save(make(run, 9.0), tmp_path / "newer")
    save_and_be_killed(tmp_path / "newer", saved, "os.rename", nth)
    assert [p.name for p in saved.parent.glob("[!.]*")] == left
    assert not left or same(records.load(saved), make(run))
    records.save(make(run, 9.0), saved)
    assert same(records.find(smoke, run), make(run, 9.0))


def test_what_a_killed_run_left_is_removed_when_it_is_old(run, saved):
    old, young = saved.with_name(".seed-0-old"), saved.with_name(".seed-0-young")
    other = saved.with_name(".seed-01-old")
    for draft in (old, young, other):
        (draft / "new").mkdir(parents=True)
    long_ago = time.time() - 2 * records.STALE
    for draft in (old, other):
        os.utime(draft, (long_ago, long_ago))
    records.save(make(run), saved)
    assert sorted(p.name for p in saved.parent.iterdir()) == [".seed-0-young", ".seed-01-old", "seed-0"]


def test_a_save_that_fails_leaves_nothing(run, saved, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space left"):
        records.save(make(run, 9.0), saved)
    assert [p.name for p in saved.parent.iterdir()] == [saved.name]
    assert same(records.load(saved), make(run))
