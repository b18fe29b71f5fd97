"""Execute one notebook with papermill: parameters checked first, the page written whole or kept as failed.

``python -m pipeline.page SOURCE OUTPUT [name=value ...]``
"""

import ast
import logging
import os
import resource
import sys
from pathlib import Path

import nbformat
import yaml
from pydantic import ConfigDict, TypeAdapter, ValidationError

from binenc.profile import ROOT, InputError


def parameters(source: Path) -> dict[str, object]:
    """Names and default values of the notebook's cell tagged ``parameters``."""
    cells = nbformat.read(source, as_version=4).cells
    tagged = [c.source for c in cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise InputError(f"{source}: needs exactly one cell tagged 'parameters', has {len(tagged)}")
    assignments = [node for node in ast.parse(tagged[0]).body if isinstance(node, ast.Assign)]
    return {node.targets[0].id: ast.literal_eval(node.value) for node in assignments}


def checked(source: Path, words: list[str]) -> dict[str, object]:
    """Parse ``name=value`` words (values are YAML) and check them against the notebook's parameters.

    Raises
    ------
    InputError
        If a name is not a parameter of the notebook, or a value is of another type than its default.
    """
    defaults, values = parameters(source), {}
    for word in words:
        name, _, text = word.partition("=")
        if name not in defaults:
            raise InputError(f"parameter {name!r}: {source.name} has {', '.join(defaults)}")
        default = defaults[name]
        value = text if isinstance(default, str) else yaml.safe_load(text)
        kind = list[type(default[0])] if isinstance(default, list) and default else type(default)
        try:
            values[name] = TypeAdapter(kind, config=ConfigDict(strict=True)).validate_python(value)
        except ValidationError:
            shown = getattr(kind, "__name__", kind)
            said = f"parameter {name}={text}: {source.name} takes a {shown} like {default!r}"
            raise InputError(said) from None
    return values


def execute(source: Path, output: Path, values: dict[str, object]) -> None:
    """Run the notebook; rename the page into place, or keep what there is of it as ``*.failed.ipynb``."""
    import papermill
    from papermill.exceptions import PapermillExecutionError

    logging.getLogger("papermill").setLevel(logging.ERROR)
    log, failed = output.with_suffix(".log"), output.with_suffix(".failed.ipynb")
    output.parent.mkdir(parents=True, exist_ok=True)
    failed.unlink(missing_ok=True)
    draft = output.with_suffix(f".{os.getpid()}.draft.ipynb")
    with log.open("w") as stream:
        try:
            papermill.execute_notebook(
                source,
                draft,
                values,
                cwd=ROOT / "book",
                kernel_name="python3",
                progress_bar=False,
                log_output=False,
                stdout_file=stream,
                stderr_file=stream,
                extra_arguments=["--IPKernelApp.log_level=50"],
            )
        except BaseException as error:
            if draft.exists():
                os.replace(draft, failed)
            print(error, file=stream)
            if isinstance(error, PapermillExecutionError):
                what = f"{error.ename}: {error.evalue}"
            else:
                what = f"{type(error).__name__}: {error}"
            stop = SystemExit(f"page {output} failed: {what}\n  partial page {failed}\n  log {log}")
            raise stop from None
    page = nbformat.read(draft, as_version=4)
    memory = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    page.metadata.papermill["memory_mib"] = round(memory / 1024)
    nbformat.write(page, draft)
    os.replace(draft, output)


def main() -> None:
    source, output, *words = sys.argv[1:]
    try:
        values = checked(Path(source), words)
    except InputError as error:
        print(f"{source}: {error}", file=sys.stderr)
        sys.exit(2)
    execute(Path(source), Path(output), values)


if __name__ == "__main__":
    main()
