"""What a page is evidence of, and where its numbers come from."""

from drawn import save_all

from binenc import records, study
from binenc.profile import ARCHITECTURES
from binenc.text import evidence


def test_runs_without_a_record_are_told(results, smoke):
    runs = smoke.all_runs()
    save_all(smoke, runs[:3])
    found = study.read(["smoke"])
    assert found.runs["smoke"] == runs[:3]
    assert found.missing["smoke"] == runs[3:]
    assert f"Recorded so far: 3 of {len(runs)} runs of `smoke`" in evidence.origin(found)
    assert evidence.lacking(runs[:3], runs[3:]) in evidence.origin(found)


def test_runs_with_a_single_switch_are_counted_by_themselves(results, smoke):
    switched = [
        smoke.run("digits_mlp", "as_written,softmax_twice=true", "binary_encoding", s) for s in (0, 1)
    ]
    have, lack = [*smoke.all_runs()[:3], switched[0]], [*smoke.all_runs()[3:], switched[1]]
    said = evidence.gaps(study.Study({"smoke": smoke}, {"smoke": have}, {"smoke": lack}, None))
    n = len(smoke.all_runs())
    none = evidence.gaps(study.Study({}, {}, {"smoke": lack[:-1]}, None))
    assert f"**Recorded so far: 0 of {n - 3} runs of `smoke`.**" in none[0]
    assert (
        f"**Recorded so far: 3 of {n} runs of `smoke`, and 1 of 2 runs of `smoke` with a single switch.**"
        in said[0]
    )


def test_what_lacks_is_named_as_widely_as_it_lacks(smoke):
    mlp, cnn = (
        [r for r in smoke.all_runs() if r.experiment_name == f"digits_{kind}"] for kind in ("mlp", "cnn")
    )
    written = [r for r in mlp if r.protocol_name == "as_written"]
    assert evidence.lacking(mlp, cnn) == "all of Digits (CNN)"
    first = [r for r in written if r.seed == 0]
    assert evidence.lacking(first, [r for r in written if r.seed]) == "Digits (MLP) as written, seed 1"
    assert (
        evidence.lacking(written, [r for r in mlp if r.protocol_name == "as_released"])
        == "Digits (MLP) as released"
    )
    lack, *some = written
    what = f"seed {lack.seed} ({ARCHITECTURES[lack.architecture].lower()})"
    assert evidence.lacking(some, [lack]) == f"Digits (MLP) as written, {what}"


def test_scope_and_origin_say_what_and_from_where(made, results, smoke):
    found = study.read(["smoke"])
    scope, origin = evidence.scope(found), evidence.origin(found)
    assert "| Digits (MLP) | as written | 0, 1 | 6 | smoke, trained afresh |" in scope
    assert "evidence of" in smoke.about
    assert smoke.about in scope
    for words in (
        f"{len(made)} records",
        "commit cccccccccc;",
        "a machine far away",
        "2020-02-20",
        "torch 2.9.0",
    ):
        assert words in origin
    assert "uncommitted" not in origin
    run = smoke.all_runs()[0]
    changed = made[run.id].run | {"dirty": True, "date": "2021-01-01T00:00:00+00:00"}
    records.save(
        records.Record(changed, made[run.id].history, made[run.id].arrays), results / "smoke" / run.id
    )
    assert "cccccccccc with uncommitted changes" in evidence.origin(found)
    assert "2020-02-20 to 2021-01-01" in evidence.origin(found)


def test_origin_adds_up_the_time(made):
    assert f"; {len(made)} s of training." in evidence.origin(study.read(["smoke"]))
