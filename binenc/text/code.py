"""Code out of the package as Markdown, for the chapters: what runs is what is read."""

import ast
import inspect
import re
import textwrap
from collections.abc import Callable
from types import ModuleType


def constant(module: ModuleType, name: str) -> str:
    """A constant of a module as Markdown: what the text below it says, and then its code."""
    source = inspect.getsource(module)
    body = ast.parse(source).body
    at = next(i for i, node in enumerate(body) if isinstance(node, ast.Assign) and node.targets[0].id == name)
    code, said = (ast.get_source_segment(source, node) for node in body[at : at + 2])
    place = "/".join(module.__name__.split("."))
    return f"`{name}` in `{place}.py`: {ast.literal_eval(said)}\n\n```python\n{code}\n```"


def annotated(function: Callable) -> str:
    """A function as Markdown: what its docstring says, with its equations, and then the code without it."""
    said = re.split(r"\n\n(?:Parameters|Returns|Raises)\n", inspect.cleandoc(function.__doc__ or ""))[0]
    said = re.sub(r":math:`(.+?)`", r"$\1$", said, flags=re.S)
    said = re.sub(r"``(.+?)``", r"`\1`", said)
    lines = textwrap.dedent(inspect.getsource(function)).splitlines()
    node = ast.parse("\n".join(lines)).body[0]
    if ast.get_docstring(node) is not None:
        del lines[node.body[0].lineno - 1 : node.body[0].end_lineno]
    code = "\n".join(lines).replace(":\n\n", ":\n")
    place = "/".join(function.__module__.split("."))
    return f"`{function.__name__}` in `{place}.py`: {said}\n\n```python\n{code}\n```"
