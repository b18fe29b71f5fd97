"""Execute one notebook with papermill: parameters checked first, the page written whole or kept as failed.

``python -m pipeline.page SOURCE OUTPUT [name=value ...]``
"""

import ast
import logging
import os
import resource
import signal
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import nbformat
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from binenc.choice import choose
from binenc.commands import command
from binenc.profile import ROOT, InputError, Profile


def parameters(source: Path) -> dict[str, object]:
    """Names and default values of the notebook's cell tagged ``parameters``."""
    cells = nbformat.read(source, as_version=4).cells
    tagged = [c.source for c in cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise InputError(f"needs exactly one cell tagged 'parameters', has {len(tagged)}")
    assignments = [node for node in ast.parse(tagged[0]).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}


def checked(source: Path, words: list[str]) -> dict[str, object]:
    """Parse ``name=value`` words (values are YAML) and check them against the notebook's parameters.

    Raises
    ------
    InputError
        If a name is not a parameter of the notebook, a value is of another type than its default, or no
        profile has the runs that the values name.
    """
    defaults, values = parameters(source), {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise InputError(f"parameter {word!r}: is written name=value")
        if name not in defaults:
            raise InputError(f"parameter {name!r}: allowed are {', '.join(defaults)}")
        values[name] = _value(name, text, defaults[name])
    _exist(defaults | values)
    return values


def _value(name: str, text: str, default: object) -> object:
    """The text as a value of the same type as the default."""
    kind = list[type(default[0])] if isinstance(default, list) and default else type(default)
    try:
        value = text if isinstance(default, str) else yaml.safe_load(text)
        return TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
    except (ValidationError, yaml.YAMLError):
        words = {list: "a list", int: "an integer", float: "a number", str: "text", bool: "true or false"}
        some = [0, 1] if name == "seeds" else ["a", "b"]
        like = default or some if isinstance(default, list) else default
        raise InputError(f"parameter {name}={text}: must be {words[type(default)]} like {like!r}") from None


def _exist(values: dict[str, object]) -> None:
    """Refuse names of runs that are in no profile."""
    chapter = ("profiles", "experiments", "protocols", "architectures", "seeds")
    run = ("experiment", "protocol", "architecture", "seed")
    if values.keys() >= set(chapter):
        choose(*(values[name] for name in chapter))
    elif values.keys() >= {"profile", *run}:
        Profile.read(values["profile"]).run(*(values[name] for name in run))


INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)


@contextmanager
def insistent(seconds: float = 5.0):
    """Repeat an interrupt until it is heard: Python drops one that is raised within a destructor."""

    def interrupt(*_):
        signal.setitimer(signal.ITIMER_REAL, seconds)
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in INTERRUPTS}
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)


def engine() -> str:
    """The name by which papermill knows its own engine, but that the notebook is written when it ends,
    however, not twice a cell.
    """
    from papermill.engines import NBClientEngine, papermill_engines

    class Engine(NBClientEngine):
        @classmethod
        def execute_managed_notebook(cls, manager, *words, **named):
            manager.save = lambda: None
            try:
                super().execute_managed_notebook(manager, *words, **named)
            finally:
                for number in INTERRUPTS:  # of what is written now a part would be of no use
                    signal.signal(number, signal.SIG_IGN)
                del manager.save

    papermill_engines.register("binenc", Engine)
    return "binenc"


def execute(source: Path, output: Path, values: dict[str, object]) -> None:
    """Run the notebook; rename the page into place, or keep what there is of it as ``*.failed.ipynb``."""
    import papermill
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.ERROR)
    log, failed = output.with_suffix(".log"), output.with_suffix(".failed.ipynb")
    draft = output.with_name(f".{output.stem}.draft.ipynb")
    output.parent.mkdir(parents=True, exist_ok=True)
    failed.unlink(missing_ok=True)
    with log.open("w") as stream, tempfile.TemporaryDirectory(dir="/tmp") as place:
        try:
            with insistent():
                papermill.execute_notebook(
                    source,
                    draft,
                    values,
                    engine_name=engine(),
                    cwd=ROOT / "book",
                    kernel_name="python3",
                    progress_bar=False,
                    log_output=False,
                    stdout_file=stream,
                    stderr_file=stream,
                    extra_arguments=["--IPKernelApp.log_level=50"],
                    start_timeout=300,  # on a busy machine a kernel begins late, and its outputs come late:
                    iopub_timeout=60,  # a page that waits in vain fails
                    # Sockets as files, not ports: two kernels that start together may be given the same port.
                    config=Config({"KernelManager": {"transport": "ipc", "ip": f"{place}/kernel"}}),
                    shutdown_kernel="immediate",  # what is to be kept was written
                )
                _complete(draft)
        except BaseException as error:
            if draft.exists():
                os.replace(draft, failed)
            print(error, file=stream)
            kept = f"\n  partial page {failed}" if failed.exists() else ""
            raise SystemExit(f"page {output} failed: {_what(error)}{kept}\n  log {log}") from None
    os.replace(draft, output)


def _complete(draft: Path) -> None:
    """Note the kernel's peak memory; refuse a page with a cell that did not run: papermill may not."""
    page = nbformat.read(draft, as_version=4)
    code = [c for c in page.cells if c.cell_type == "code" and c.source.strip()]
    left = sum(cell.execution_count is None for cell in code)
    if left:
        raise KeyboardInterrupt(f"{left} of {len(code)} code cells did not run")
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    page.metadata.papermill["memory_mib"] = round(memory / 2**10)
    nbformat.write(page, draft)


def _what(error: BaseException) -> str:
    """The error in one line: that of the cell, where one failed."""
    name, value = getattr(error, "ename", type(error).__name__), getattr(error, "evalue", str(error))
    name = name.replace("KeyboardInterrupt", "interrupted")
    return " ".join(f"{name}: {value}".split()).removesuffix(":")


def main() -> None:
    if len(sys.argv) < 3:
        raise InputError("python -m pipeline.page SOURCE OUTPUT [name=value ...]")
    source, output, *words = sys.argv[1:]
    try:
        if not Path(source).is_file():
            raise InputError("no such notebook")
        values = checked(Path(source), words)
    except InputError as error:
        raise InputError(f"{source}: {error}") from None
    os.environ["BINENC_FIGURES"] = str(Path(output).resolve().parent / "figures")
    execute(Path(source), Path(output), values)


if __name__ == "__main__":
    command(main)
