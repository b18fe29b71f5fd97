"""Warm pages: a lent process does what a new one would, and goes when its asker or its lender goes."""

import contextlib
import os
import select
import shlex
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from test_page import notebook

from binenc.profile import ROOT
from pipeline import warm

pytestmark = pytest.mark.skipif(not warm.LENDS, reason="nothing is lent here")
PYTHON = f"{shlex.quote(sys.executable)} -m pipeline.warm"


def sh(script: str, lent: bool = True, **environment: str) -> subprocess.CompletedProcess:
    """Run a shell script in a group of its own, with a process lent to its pages or without."""
    words = ["bash", "-c", script]
    words = [sys.executable, "-m", "pipeline.warm", "--", *words] if lent else words
    env = os.environ | environment | {"PYTHONPATH": f"{ROOT}:{environment.get('PYTHONPATH', '')}"}
    return subprocess.run(
        words, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, start_new_session=True
    )


@pytest.fixture
def module(tmp_path):
    """Write a module `asked`, which a page's process then runs."""

    def write(source: str) -> dict[str, str]:
        (tmp_path / "asked.py").write_text(source)
        return {"PYTHONPATH": str(tmp_path)}

    return write


SAYS = """
import os, sys
print(sys.argv[1:], sys.stdin.read(), os.getcwd(), os.environ["WORD"])
print("aside", file=sys.stderr)
sys.exit({code})
"""


@pytest.mark.parametrize(("code", "expected"), [("None", 0), ("3", 3), ("'why'", 1)])
def test_words_streams_folder_environment_and_exit_code_are_the_same(module, tmp_path, code, expected):
    environment = module(SAYS.format(code=code))
    script = f"cd {tmp_path}; echo in | WORD=w {PYTHON} asked one 'two words'; echo code $?"
    lent, new = (sh(script, lent, **environment) for lent in (True, False))
    assert lent.stdout == new.stdout == f"['one', 'two words'] in\n {tmp_path} w\ncode {expected}\n"
    assert lent.stderr == new.stderr
    assert "aside" in lent.stderr


def test_an_environment_may_be_long(module):
    environment = module("import os; print(len(os.environ['LONG']))") | {"LONG": "x" * 100_000}
    assert sh(f"{PYTHON} asked", **environment).stdout == "100000\n"


UNTIL_TORCH = f"until {PYTHON} has_torch; do sleep .1; done"
"""Wait for the process that is lent to have imported what only trainings need."""


@pytest.fixture
def has_torch(tmp_path):
    (tmp_path / "has_torch.py").write_text("import sys; sys.exit('torch' not in sys.modules)")


def test_what_pages_import_is_there(module, has_torch):
    environment = module("import sys; print('pandas' in sys.modules)")
    assert sh(f"{PYTHON} asked; {UNTIL_TORCH}", **environment).stdout == "True\n"
    assert sh(f"{PYTHON} asked", lent=False, **environment).stdout == "False\n"


def test_an_error_is_shown_and_ends_in_1(module):
    done = sh(f"{PYTHON} asked; echo code $?", **module("raise ValueError('no such thing')"))
    assert done.stdout == "code 1\n"
    assert "ValueError: no such thing" in done.stderr


def test_the_exit_code_is_that_of_the_command():
    assert sh("exit 7").returncode == 7


@pytest.mark.skipif(os.cpu_count() < 2, reason="torch takes no more threads than there are cores")
@pytest.mark.parametrize("wait", ["", f"{UNTIL_TORCH};"])
def test_threads_are_those_asked_for(module, has_torch, wait):
    environment = module("import torch; print(torch.get_num_threads())")
    done = sh(f"{wait} OMP_NUM_THREADS=2 {PYTHON} asked; OMP_NUM_THREADS=1 {PYTHON} asked", **environment)
    assert done.stdout == "2\n1\n"


SLEEPS = """
import time
try:
    open("began", "w").close()
    time.sleep(60)
finally:
    open("ended", "w").close()
"""


def test_a_page_ends_with_its_asker(module, tmp_path):
    script = (
        f"cd {tmp_path}; {PYTHON} asked & until [ -e began ]; do sleep .1; done; "
        "kill -KILL $!; for i in {1..100}; do [ -e ended ] && exit 0; sleep .1; done; exit 9"
    )
    assert sh(script, **module(SLEEPS)).returncode == 0


def assert_nothing_is_left(process: subprocess.Popen) -> None:
    """Of its group, half a minute after its end."""
    deadline = time.monotonic() + 30
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)  # sends nothing
            time.sleep(0.1)
        pytest.fail("a process is left")


def begun(path: Path, script: str, under=(), **environment: str) -> subprocess.Popen:
    """A script with a process lent to its pages, which has made the file ``began`` in the folder."""
    command = [*under, sys.executable, "-m", "pipeline.warm", "--", "bash", "-c", f"cd {path}; {script}"]
    env = os.environ | {"PYTHONPATH": f"{ROOT}:{environment.get('PYTHONPATH', '')}"}
    process = subprocess.Popen(command, cwd=ROOT, env=env, start_new_session=True, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while not (path / "began").exists():
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    return process


def test_an_interrupt_reaches_the_pages_and_nothing_is_left(module, tmp_path):
    process = begun(tmp_path, f"{PYTHON} asked", **module(SLEEPS))
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(60) != 0
    assert_nothing_is_left(process)
    assert (tmp_path / "ended").exists()


@pytest.mark.parametrize("before", [signal.SIG_DFL, signal.SIG_IGN])
def test_an_interrupted_command_ends_in_its_own_time(tmp_path, before):
    """Also where interrupts were ignored before, as in a script's background job."""
    script = "trap 'sleep 1; touch tidy; exit 4' INT; touch began; while true; do sleep .1; done"
    kept = signal.signal(signal.SIGINT, before)
    try:
        process = begun(tmp_path, script)
    finally:
        signal.signal(signal.SIGINT, kept)
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(30) == 4
    assert (tmp_path / "tidy").exists()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_killed_it_leaves_nothing(tmp_path, number):
    process = begun(tmp_path, 'echo "$BINENC_PAGES" > pages; touch began; exec sleep 30')
    process.send_signal(number)
    assert process.wait(5) == -number
    assert_nothing_is_left(process)
    assert not Path((tmp_path / "pages").read_text().strip()).parent.exists()


def test_it_ends_with_its_command_also_amid_an_import_that_catches_all(tmp_path):
    importing = tmp_path / "importing"
    (tmp_path / "papermill.py").write_text(
        f"import time\nopen({str(importing)!r}, 'w').close()\ntry:\n    time.sleep(60)\nexcept:\n    pass\n"
    )
    script = f"touch began; until [ -e {importing} ]; do sleep .1; done"
    process = begun(tmp_path, script, PYTHONPATH=str(tmp_path))
    assert process.wait(60) == 0
    assert_nothing_is_left(process)


def test_the_command_holds_the_lock_and_hears_the_signals_of_the_build(tmp_path):
    """So none begins beside one that ends in its own time."""
    lock = tmp_path / "lock"
    script = (
        "trap 'until [ -e end ]; do sleep .1; done; exit 4' TERM; touch began; while true; do sleep .1; done"
    )
    process = begun(tmp_path, script, under=["flock", "--no-fork", str(lock)])
    process.terminate()
    time.sleep(1)
    free = ["flock", "-n", str(lock), "true"]
    assert subprocess.run(free).returncode == 1
    (tmp_path / "end").touch()
    assert process.wait(30) == 4
    assert_nothing_is_left(process)
    assert subprocess.run(free).returncode == 0


def test_where_the_lent_process_was_killed_a_page_starts_on_its_own(module, tmp_path):
    path = str(tmp_path / "pages")
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(path)  # its file stays
    for stale in (path, str(tmp_path / "none")):
        done = sh(f"{PYTHON} asked", lent=False, BINENC_PAGES=stale, **module("print('asked')"))
        assert (done.stdout, done.returncode) == ("asked\n", 0), done.stderr


def test_a_page_that_waits_while_the_lent_process_is_killed_starts_on_its_own(module, tmp_path):
    path = str(tmp_path / "pages")
    with socket.socket(socket.AF_UNIX) as lender, ThreadPoolExecutor() as beside:
        lender.bind(path)
        lender.listen()
        future = beside.submit(
            sh, f"{PYTHON} asked", lent=False, BINENC_PAGES=path, **module("print('asked')")
        )
        waiting, _, _ = select.select([lender], [], [], 60)
        time.sleep(1)  # it has told what it asks for
        lender.close()
        done = future.result()
    assert waiting
    assert (done.stdout, done.returncode) == ("asked\n", 0), done.stderr


def test_a_page_that_is_killed_is_named(module):
    environment = module("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = sh(f"{PYTHON} asked word; echo code $?", **environment)
    assert done.stdout == "code 1\n"
    assert "killed, perhaps for want of memory: asked word\n" in done.stderr


def test_a_page_is_what_it_would_be_and_its_kernel_a_fork(tmp_path):
    source = notebook(tmp_path / "page.ipynb", "import sys; print(seed, 'seaborn' in sys.modules)")
    sh(f"{PYTHON} pipeline.page {source} {tmp_path}/lent.ipynb seed=5")
    sh(f"{PYTHON} pipeline.page {source} {tmp_path}/new.ipynb seed=5", lent=False)
    lent, new = ((tmp_path / f"{name}.ipynb").read_text() for name in ("lent", "new"))
    assert "5 True" in lent
    assert "5 False" in new


def test_a_page_whose_temporary_folder_has_a_long_name(tmp_path):
    source, folder = notebook(tmp_path / "page.ipynb"), tmp_path / ("long" * 25)
    folder.mkdir()
    done = sh(f"{PYTHON} pipeline.page {source} {tmp_path}/out.ipynb", TMPDIR=str(folder))
    assert done.returncode == 0, done.stderr


def test_a_kernel_that_dies_fails_its_page_alone(tmp_path):
    source = notebook(tmp_path / "page.ipynb", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    done = sh(f"{PYTHON} pipeline.page {source} {tmp_path}/page.out.ipynb; echo code $?")
    assert done.stdout == "code 1\n"
    assert "died" in done.stderr.lower()


def test_a_kernel_ends_with_its_page(tmp_path):
    pids = tmp_path / "pids"
    begin = f"import os, time; print(os.getppid(), os.getpid(), file=open('{pids}', 'w')); time.sleep(60)"
    source = notebook(tmp_path / "page.ipynb", begin)
    script = (
        f"{PYTHON} pipeline.page {source} {tmp_path}/out.ipynb & until [ -s {pids} ]; do sleep .1; done; "
        f"read page kernel < {pids}; kill -KILL $page; "
        "for i in {1..100}; do kill -0 $kernel || exit 0; sleep .1; done; exit 9"
    )
    assert sh(script).returncode == 0


def test_a_process_that_was_lent_before_an_edit_is_not_asked(tmp_path, monkeypatch):
    """It holds what it imported: a page of it would be older than its time says."""
    monkeypatch.setattr(warm, "__file__", str(tmp_path / "pipeline/warm.py"))
    for name in ("pipeline/warm.py", "binenc/figures/style.py"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1e9, 1e9))
    lent = tmp_path / "pages"
    lent.touch()
    assert warm.holds_the_sources(str(lent))
    (tmp_path / "binenc/figures/style.py").touch()
    assert not warm.holds_the_sources(str(lent))


def test_a_kernel_that_is_not_wanted_ends():
    kernel = warm.Kernel()
    os.close(kernel.words)
    assert kernel.wait() == 0
