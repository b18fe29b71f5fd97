"""Pages: what is refused before anything runs, and what is left of a page that fails."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from papermill import engines

from binenc.commands import command
from binenc.profile import ROOT, InputError
from pipeline import page

BOOK = ROOT / "book"


def notebook(path: Path, *cells: str, parameters: str = "seed = 0  # a number") -> Path:
    """A notebook with a parameters cell and some others."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = new_notebook(metadata={"kernelspec": kernel})
    content.cells = [
        new_markdown_cell("# A page"),
        new_code_cell(parameters, metadata={"tags": ["parameters"]}),
        *map(new_code_cell, cells),
    ]
    nbformat.write(content, path)
    return path


def page_command(*words: str | Path) -> list[str]:
    return [sys.executable, "-m", "pipeline.page", *map(str, words)]


def run(*words: str | Path) -> subprocess.CompletedProcess:
    return subprocess.run(page_command(*words), cwd=ROOT, capture_output=True, text=True, timeout=300)


def test_a_page_does_not_wait_for_a_grammar():
    code = "import sys; from pipeline import page; import papermill; print('lark' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


def test_parameters_and_their_defaults():
    assert page.parameters(BOOK / "run.ipynb") == {
        "profile": "smoke",
        "experiment": "digits_mlp",
        "protocol": "as_written",
        "architecture": "binary_encoding",
        "seed": 0,
    }


def test_values_are_of_the_type_of_the_default():
    words = ["profiles=[smoke]", "seeds=[0, 1]", "architectures=[binary_encoding]"]
    assert page.checked(BOOK / "binarity.ipynb", words) == {
        "profiles": ["smoke"],
        "seeds": [0, 1],
        "architectures": ["binary_encoding"],
    }
    words = ["experiment=digits_mlp,gamma=1", "protocol=as_written,softmax_twice=true", "seed=3"]
    assert page.checked(BOOK / "run.ipynb", words) == {
        "experiment": "digits_mlp,gamma=1",
        "protocol": "as_written,softmax_twice=true",
        "seed": 3,
    }


@pytest.mark.parametrize(
    ("name", "word", "said"),
    [
        ("run", "sede=1", "parameter 'sede': allowed are profile, experiment, protocol, architecture, seed"),
        ("run", "seed=1.5", "parameter seed=1.5: must be an integer like 0"),
        ("run", "seed=true", "parameter seed=true: must be an integer like 0"),
        ("run", "seed='1'", "parameter seed='1': must be an integer like 0"),
        ("run", "seed", "parameter 'seed': is written name=value"),
        ("run", "seed=-1", "seed -1: allowed are the integers from 0"),
        ("run", "seed=[", "parameter seed=[: must be an integer like 0"),
        ("run", "profile=nope", "profile 'nope': allowed are"),
        ("run", "experiment=mnist", "experiment 'mnist': allowed are digits_mlp, digits_cnn"),
        ("run", "protocol=as_wrote", "protocol 'as_wrote': allowed are as_written, as_released"),
        ("run", "protocol=as_written,dropout=no", "protocol 'as_written,dropout=no': dropout"),
        ("run", "architecture=linear", "architecture 'linear': allowed are binary_encoding"),
        ("binarity", "profiles=smoke", "parameter profiles=smoke: must be a list like"),
        ("binarity", "profiles=[1]", "parameter profiles=[1]: must be a list like"),
        ("binarity", "profiles=[]", "profiles []: name at least one"),
        ("binarity", "profiles=[nope]", "profile 'nope': allowed are"),
        ("binarity", "experiments=[digits]", "experiment 'digits': "),
        ("binarity", "seeds=[-1]", "seed -1: "),
        ("binarity", "seeds=0", "parameter seeds=0: must be a list like [0, 1]"),
    ],
)
def test_what_is_refused(name, word, said):
    with pytest.raises(InputError) as error:
        page.checked(BOOK / f"{name}.ipynb", [word])
    assert str(error.value).startswith(said)
    assert "\n" not in str(error.value)


def test_a_notebook_needs_one_parameters_cell(tmp_path):
    source = notebook(tmp_path / "a.ipynb")
    content = nbformat.read(source, as_version=4)
    for tags in ([], [["parameters"], ["parameters"]]):
        content.cells = [new_code_cell("a = 1", metadata={"tags": t}) for t in tags]
        nbformat.write(content, source)
        with pytest.raises(InputError, match="exactly one cell tagged 'parameters'"):
            page.parameters(source)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["book/run.ipynb"],
        ["book/none.ipynb", "OUT/page.ipynb"],
        ["book/run.ipynb", "OUT/page.ipynb", "sede=1"],
        ["book/binarity.ipynb", "OUT/page.ipynb", "experiments=[nope]"],
    ],
)
def test_the_command_refuses_in_one_line_with_2_and_writes_nothing(words, tmp_path, monkeypatch, capsys):
    words = [word.replace("OUT", str(tmp_path / "out")) for word in words]
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(sys, "argv", ["page", *words])
    with pytest.raises(SystemExit) as stop:
        command(page.main)
    said = capsys.readouterr()
    assert stop.value.code == 2
    assert said.out == ""
    assert len(said.err.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_a_page_is_the_notebook_with_its_values_and_costs(tmp_path):
    source = notebook(
        tmp_path / "a.ipynb", "print(seed + 1)", "import os\nprint(os.path.basename(os.getcwd()))", ""
    )
    done = run(source, tmp_path / "deep/page.ipynb", "seed=41")
    assert done.returncode == 0, done.stderr
    assert done.stdout + done.stderr == ""
    assert sorted(path.name for path in (tmp_path / "deep").iterdir()) == ["page.ipynb", "page.log"]
    content = nbformat.read(tmp_path / "deep/page.ipynb", as_version=4)
    said = [output.text for cell in content.cells for output in cell.get("outputs", [])]
    assert said == ["42\n", "book\n"]
    assert 20 < content.metadata.papermill.memory_mib < 4000
    assert content.metadata.papermill.duration > 0


def test_outputs_may_come_late(tmp_path):
    late = (
        "import time\nkernel = get_ipython().kernel\npublish = kernel._publish_status\n"
        "kernel._publish_status = lambda s, *rest: (time.sleep(5 * (s == 'idle')), publish(s, *rest))"
    )
    done = run(notebook(tmp_path / "a.ipynb", late), tmp_path / "page.ipynb")
    assert done.returncode == 0, done.stderr


def test_a_failing_cell_keeps_the_partial_page_and_names_it(tmp_path):
    source = notebook(
        tmp_path / "a.ipynb", "print('so far')", "raise ValueError('two\\nlines')", "print('never')"
    )
    output, failed, log = (tmp_path / f"page{end}" for end in (".ipynb", ".failed.ipynb", ".log"))
    output.write_text("an older page")
    done = run(source, output)
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == f"page {output} failed: ValueError: two lines"
    assert lines[1:] == [f"  partial page {failed}", f"  log {log}"]
    assert output.read_text() == "an older page"  # not a part of the one that failed
    assert {path.name for path in tmp_path.iterdir()} == {"a.ipynb", output.name, failed.name, log.name}
    outputs = [o for c in nbformat.read(failed, as_version=4).cells for o in c.get("outputs", [])]
    assert outputs[0].get("text") == "so far\n" or any(o.get("text") == "so far\n" for o in outputs)
    assert "ValueError: two" in log.read_text()
    assert "\x1b" not in log.read_text()

    notebook(source, "print('mended')")
    assert run(source, output).returncode == 0
    assert "mended" in output.read_text()
    assert not failed.exists()


# a terminal's Ctrl-C, and the end of a job's time on a cluster
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_leaves_no_page(tmp_path, number):
    started, output = tmp_path / "started", tmp_path / "page.ipynb"
    slow = f"open({str(started)!r}, 'w').close()\nimport time\ntime.sleep(120)"
    source = notebook(tmp_path / "a.ipynb", slow, "print('never')")
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(
        page_command(source, output), cwd=ROOT, text=True, start_new_session=True, **pipe
    )
    deadline = time.monotonic() + 120
    while not started.exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    os.killpg(process.pid, number)
    _, said = process.communicate(timeout=120)
    assert process.returncode != 0
    assert f"page {output} failed: interrupted" in said
    assert not output.exists()
    assert not list(tmp_path.glob(".*"))


def test_an_interrupt_while_the_partial_page_is_written_does_not_cut_it(tmp_path, monkeypatch):
    def interrupted(manager, *_, **__):
        manager.nb.cells[0].source = "so far"
        os.kill(os.getpid(), signal.SIGINT)

    def write(notebook, path):
        if notebook.cells[0].source == "so far":
            os.kill(os.getpid(), signal.SIGINT)
        nbformat.write(notebook, path)

    monkeypatch.setattr(engines.NBClientEngine, "execute_managed_notebook", interrupted)
    monkeypatch.setattr(engines, "write_ipynb", write)
    source = notebook(tmp_path / "a.ipynb", "print(1)")
    with pytest.raises(SystemExit, match="failed: interrupted"):
        page.execute(source, tmp_path / "page.ipynb", {})
    assert nbformat.read(tmp_path / "page.failed.ipynb", as_version=4).cells[0].source == "so far"


def test_an_interrupt_that_is_lost_comes_again(monkeypatch):
    class Deaf:
        def __del__(self):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    def work():
        with page.insistent(0.1):
            Deaf()
            assert lost == [KeyboardInterrupt]
            time.sleep(60)

    lost = []
    monkeypatch.setattr(sys, "unraisablehook", lambda said: lost.append(said.exc_type))
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        work()
    time.sleep(0.3)  # and no more when it was heard
    assert signal.getsignal(signal.SIGINT) is before


def test_a_page_with_a_cell_that_did_not_run_is_refused(tmp_path):
    draft = notebook(tmp_path / "a.ipynb", "print(1)", "")
    content = nbformat.read(draft, as_version=4)
    content.metadata.papermill = {}
    for cell in content.cells[1:2]:
        cell.execution_count = 1
    nbformat.write(content, draft)
    with pytest.raises(KeyboardInterrupt, match="1 of 2 code cells did not run"):
        page._complete(draft)
    content.cells[2].execution_count = 2
    nbformat.write(content, draft)
    page._complete(draft)
    assert "memory_mib" in json.loads(draft.read_text())["metadata"]["papermill"]
