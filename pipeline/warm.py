"""Start pages warm: one process imports what they all need, and every page and its kernel is a fork of it.

``python -m pipeline.warm -- COMMAND`` becomes a command and, as long as it runs, lends it such a process.
``python -m pipeline.warm MODULE ...`` is ``python -m MODULE ...``, within such a process where one is lent.
"""

import contextlib
import ctypes
import gc
import importlib
import io
import json
import os
import runpy
import select
import shutil
import signal
import socket
import socketserver
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import NoReturn

IMPORTED = (
    *("binenc.choice", "binenc.claims.front", "binenc.claims.turns"),
    *("binenc.text.tables", "binenc.figures.slider", "binenc.figures.effects"),
    *("scipy.stats", "ipykernel.kernelapp", "ipykernel.debugger", "papermill"),
)
"""What every page takes seconds to import."""

AFTERWARDS = [
    *("binenc.training", "sklearn.datasets", "sklearn.model_selection", "safetensors.torch"),
    *("torch._dynamo", "jupyter_book.sphinx", "myst_nb.sphinx_ext", "sphinx_book_theme"),
]
"""What a training imports, an optimizer when it is made, and the book: most pages do not wait for it."""

LENDS = not Path("/dev/nvidiactl").exists()
"""Whether a process can be lent: CUDA, once it was asked for, does not outlive a fork."""

PR_SET_PDEATHSIG = 1
"""Of Linux's prctl: a signal at the parent's death."""

SIZE = 8
"""Bytes of the length that precedes a request: a socket may hand over a long one in pieces."""


class Request(socketserver.BaseRequestHandler):
    """In a fork: become the process that asks, with its words, environment, folder and streams."""

    def handle(self) -> None:
        size, streams, _, _ = socket.recv_fds(self.request, SIZE, 3)
        with self.request.makefile("rb") as asked:
            words, environment, folder = json.loads(asked.read(int.from_bytes(size, "big")))
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.environ.clear()
        os.environ.update(environment)
        os.chdir(folder)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if torch := sys.modules.get("torch"):  # imported later, it asks the environment
            torch.set_num_threads(int(environment.get("OMP_NUM_THREADS") or os.cpu_count() or 1))
        kernel = Kernel()
        threading.Thread(target=self.end_with_client, daemon=True).start()
        code = outcome(lambda: run(words, kernel))
        with contextlib.suppress(BrokenPipeError):  # the one that asked is gone
            self.request.sendall(bytes([code]))

    def end_with_client(self) -> None:
        """Interrupt this process when the one that asked for it is gone."""
        if not self.request.recv(1):
            os.kill(os.getpid(), signal.SIGINT)


class Lender(socketserver.ForkingMixIn, socketserver.UnixStreamServer):
    """The process that is lent, once `serve` is called in a fork of the one that becomes the command."""

    request_queue_size = 128
    max_children = 1000
    parent = os.getpid()

    def serve(self) -> NoReturn:
        """Import what pages need, then become each that asks, as long as the command runs."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # an interrupt is for the pages and the command
        signal.signal(signal.SIGTERM, self.end)
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        try:
            self.end_with_parent()
            os.environ |= {"OMP_NUM_THREADS": "1", "MPLBACKEND": "agg"}
            os.environ["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"  # of its warning that it cannot debug
            prepare(IMPORTED)
            with contextlib.suppress(Exception):
                rehearse()
            self.serve_forever()
        finally:
            self.end()

    def end(self, *_) -> NoReturn:
        """Go at once, with the socket's folder: an exception might be caught by what is just imported."""
        shutil.rmtree(Path(self.server_address).parent, ignore_errors=True)
        os._exit(0)

    def end_with_parent(self) -> None:
        if os.getppid() != self.parent:
            self.end()

    def service_actions(self) -> None:
        """Twice a second: while nobody asks, import what is left."""
        super().service_actions()
        self.end_with_parent()
        while AFTERWARDS and not select.select([self], [], [], 0)[0]:
            prepare([AFTERWARDS.pop(0)])


def prepare(names: Iterable[str]) -> None:
    """Import what pages need, and keep it out of their collection of garbage, which would copy all of it."""
    for name in names:
        with contextlib.suppress(Exception):  # a page that needs it will say what is wrong
            importlib.import_module(name)
    gc.freeze()


def rehearse() -> None:
    """Do once what libraries then hold ready: fonts, a parser of formulas, the schema of notebooks."""
    import matplotlib
    import nbformat
    from matplotlib.figure import Figure

    from binenc.figures.style import STYLE

    nbformat.validate(nbformat.v4.new_notebook())
    with matplotlib.rc_context(STYLE):
        figure = Figure()
        figure.subplots().set(yscale="log", title="$x$")
        for kind in ("svg", "pdf"):
            figure.savefig(io.BytesIO(), format=kind)


class Kernel:
    """A notebook's kernel as a fork of its page, which must not have started threads or an event loop yet.

    It waits until `launch` says with what to begin, and is then to jupyter_client what a Popen is.
    """

    stdin = stdout = stderr = None

    def __init__(self):
        reading, self.words = os.pipe()
        self.returncode = None
        if pid := os.fork():
            os.close(reading)
            self.pid = pid
            self.own_group(pid)
            return
        self.own_group(os.getpid())
        os.close(self.words)
        with open(reading, "rb") as pipe:
            told = pipe.read()
        os._exit(outcome(lambda: self.begin(*json.loads(told))) if told else 0)

    @staticmethod
    def own_group(pid: int) -> None:
        """Signals for the kernel's group reach it alone; page and kernel both see to it, so none waits."""
        with contextlib.suppress(OSError):
            os.setpgid(pid, pid)

    @staticmethod
    def begin(words: list[str], environment: dict[str, str], folder: str) -> None:
        from ipykernel.kernelapp import IPKernelApp

        os.environ.update(environment)
        os.chdir(folder)
        # It ends with its page, of which it would hear in an environment variable before it is imported.
        IPKernelApp.launch_instance([*words, f"--IPKernelApp.parent_handle={os.getppid()}"])

    def launch(self, command: list[str], *, env=None, cwd=None, **_) -> "Kernel":
        """In place of jupyter_client's launch_kernel: the words after ``python -m ipykernel_launcher``."""
        with open(self.words, "wb") as pipe:
            pipe.write(json.dumps([command[3:], dict(env or os.environ), str(cwd or os.getcwd())]).encode())
        return self

    def poll(self) -> int | None:
        if self.returncode is None and (ended := os.waitpid(self.pid, os.WNOHANG))[0]:
            self.returncode = os.waitstatus_to_exitcode(ended[1])
        return self.returncode

    def wait(self, timeout=None) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def run(words: list[str], kernel: Kernel) -> None:
    """``python -m`` of the words, in a process that is lent, with this kernel for its notebook."""
    from jupyter_client.provisioning import local_provisioner

    local_provisioner.launch_kernel = kernel.launch
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


def outcome(work) -> int:
    """The exit code of a process whose work this is."""
    try:
        work()
    except SystemExit as left:
        if isinstance(left.code, str):
            print(left.code, file=sys.stderr)
        return left.code if isinstance(left.code, int) else int(left.code is not None)
    except BaseException:
        traceback.print_exc()
        return 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def lend(command: list[str]) -> NoReturn:
    """Become a command, with a `Lender` for its pages; where none can be, each page starts on its own.

    The command keeps this process, and with it the build's lock and the signals that are meant for the build.
    """
    if LENDS:
        place = tempfile.mkdtemp(dir="/tmp")  # a socket's path is short, TMPDIR may not be
        server = Lender(str(Path(place, "pages")), Request)
        if not os.fork():
            server.serve()
        os.environ["BINENC_PAGES"] = server.server_address
    # What Python ignores, or was started to ignore as a script's background job, a command would inherit.
    for number in (signal.SIGINT, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    os.execvp(command[0], command)


def holds_the_sources(socket_path: str) -> bool:
    """Whether no source was edited since a process was lent, which holds what it imported then."""
    root, lent = Path(__file__).parent.parent, os.stat(socket_path).st_mtime
    sources = (path for folder in ("binenc", "pipeline") for path in (root / folder).rglob("[!.]*.py"))
    return all(path.stat().st_mtime < lent for path in sources)


def ask(words: list[str]) -> int:
    """Let a lent process do ``python -m`` of the words; its exit code."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.connect(os.environ["BINENC_PAGES"])
        told = json.dumps([words, dict(os.environ), os.getcwd()]).encode()
        socket.send_fds(asking, [len(told).to_bytes(SIZE, "big")], [0, 1, 2])
        asking.sendall(told)
        try:
            code = asking.recv(1)
        except KeyboardInterrupt:
            return 128 + signal.SIGINT  # the page hears of it, and says what there is to say
    if not code:
        print(f"killed, perhaps for want of memory: {' '.join(words)}", file=sys.stderr)
    return code[0] if code else 1


def main() -> None:
    words = sys.argv[1:]
    if words[0] == "--":
        lend(words[1:])
    if "BINENC_PAGES" in os.environ:
        # Killed before it heard of this page: as if there were none.
        with contextlib.suppress(FileNotFoundError, ConnectionError):
            if holds_the_sources(os.environ["BINENC_PAGES"]):
                sys.exit(ask(words))
    sys.argv = words
    runpy.run_module(words[0], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()
