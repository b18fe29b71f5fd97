"""pyproject.toml, environment.yml and requirements.lock agree; citation and licence are whole."""

import ast
import re
import sys
import tomllib
from importlib.metadata import metadata, requires

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from binenc import __version__
from binenc.profile import ROOT, Profile, profile_names

ROOMS = ("bench", "binenc", "pipeline", "tests")
ON_CONDA = {"torch": "pytorch", "jupyter-client": "jupyter_client"}
AS_IMPORTED = {"sklearn": "scikit-learn", "yaml": "pyyaml"}
PYTHONS = range(11, 15)
"""Minor versions of Python that the lock is for."""
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCK = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]


def bounds(lines: list[str]) -> dict[str, set[str]]:
    """Name and version bounds of each requirement."""
    parsed = [Requirement(line) for line in lines]
    assert len({r.name for r in parsed}) == len(parsed)
    return {r.name: {str(s) for s in r.specifier} for r in parsed}


def locked() -> dict[str, str]:
    return {canonicalize_name(name): version for name, version in (line.split("==") for line in LOCK)}


def test_conda_has_the_same_names_and_bounds():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *conda, pip = environment["dependencies"]
    found = bounds([line for line in conda if line != "pip"] + pip["pip"])
    expected = {ON_CONDA.get(name, name): bound for name, bound in bounds(PROJECT["dependencies"]).items()}
    assert found == expected | {"python": {PROJECT["requires-python"]}}
    assert environment["channels"][0] == "conda-forge"
    assert "pip" in conda


def test_every_dependency_has_a_lower_bound():
    assert [
        name for name, bound in bounds(PROJECT["dependencies"]).items() if not any(">=" in b for b in bound)
    ] == []


def test_lock_is_names_and_versions_alone():
    assert [line for line in LOCK if not re.fullmatch(r"[\w.-]+==[0-9][\w.]*", line, re.ASCII)] == []
    assert len(locked()) == len(LOCK)
    names = list(locked())
    assert names == sorted(names)
    assert not {"binenc", "pip", "playwright"} & set(names)


def test_lock_satisfies_every_bound():
    for line in PROJECT["dependencies"]:
        wanted = Requirement(line)
        assert wanted.specifier.contains(locked()[canonicalize_name(wanted.name)]), line
    assert locked()["torch"] == "2.14.1"
    assert locked()["torchvision"] == "0.29.1"


def machines(extras: list[str]) -> list[dict[str, str]]:
    """What may install the lock: each Python, for each of the extras."""
    return [
        {"extra": e, "python_version": f"3.{n}", "python_full_version": f"3.{n}.9"}
        for e in extras
        for n in PYTHONS
    ]


@pytest.mark.skipif(sys.platform != "linux", reason="the lock is for Linux")
def test_lock_holds_what_each_of_its_packages_requires():
    todo, done = [Requirement(line) for line in PROJECT["dependencies"]], set()
    while todo:
        wanted = todo.pop()
        if (key := (canonicalize_name(wanted.name), *sorted(wanted.extras))) in done:
            continue
        done.add(key)
        assert key[0] in locked(), wanted
        assert wanted.specifier.contains(locked()[key[0]], prereleases=True), wanted
        extras = ["", *wanted.extras]
        further = map(Requirement, requires(wanted.name) or [])
        todo += [r for r in further if not r.marker or any(map(r.marker.evaluate, machines(extras)))]
    assert set(locked()) == {name for name, *_ in done}


def test_every_version_in_the_lock_takes_the_oldest_python():
    oldest = f"{PROJECT['requires-python'].removeprefix('>=')}.0"
    about = {name: metadata(name) for name in locked()}
    locked_here = [name for name, version in locked().items() if about[name]["Version"] == version]
    wanted = {name: about[name].get("Requires-Python", "") for name in locked_here}
    assert {name: bound for name, bound in wanted.items() if not SpecifierSet(bound).contains(oldest)} == {}


def test_records_that_ship_are_not_ignored():
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    recorded = {name for name in profile_names() if Profile.read(name).recorded}
    assert {line for line in ignored if line.startswith("!/results/")} == {
        f"!/results/{n}/" for n in recorded
    }


def test_every_import_is_a_dependency():
    files = [path for folder in ROOMS for path in (ROOT / folder).rglob("*.py")]
    nodes = [node for path in files for node in ast.walk(ast.parse(path.read_text()))]
    names = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and not node.level}
    names = {name.split(".")[0] for name in names} - set(sys.stdlib_module_names) - set(ROOMS)
    names -= {path.stem for path in files}
    declared = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["browser"]]
    declared = {canonicalize_name(Requirement(line).name) for line in declared}
    assert {canonicalize_name(AS_IMPORTED.get(name, name)) for name in names} - declared == set()


def test_citation_is_whole():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= set(citation)  # required by schema 1.2.0
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == PROJECT["version"] == __version__
    assert citation["license"] == PROJECT["license"] == "MIT"
    assert citation["authors"] == [{"name": "The binenc authors"}]
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= set(paper)
    assert paper["title"] == "Emergence of Latent Binary Encoding in Deep Neural Network Classifiers"
    assert [author["family-names"] for author in paper["authors"]] == ["Sbailò", "Ghiringhelli"]
    assert paper["year"] == 2023
    assert "doi" not in {*citation, *paper}


def test_the_page_cites_as_the_file_does():
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    own, (paper,) = citation["preferred-citation"], citation["references"]
    page = (ROOT / "book/cite.md").read_text().replace("{\\`o}", "ò").replace("{binenc}", "binenc")
    software, article = (
        dict(re.findall(r"(\w+) += \{+(.*?)\}+,?$", entry, re.M)) for entry in page.split("@inproceedings")
    )
    author = {"author": own["authors"][0]["name"]}
    assert software == author | {key: str(own[key]) for key in ("title", "version", "year")}
    people = {
        role: " and ".join(f"{p['family-names']}, {p['given-names']}" for p in paper[f"{role}s"])
        for role in ("author", "editor")
    }
    rest = {"title": "title", "booktitle": "collection-title", "note": "notes", "url": "url", "year": "year"}
    assert article == people | {key: str(paper[name]) for key, name in rest.items()}


def test_licence():
    assert (ROOT / "LICENSE").read_text().startswith("MIT License\n\nCopyright (c) 2026 The binenc authors")


def test_public_functions_say_what_they_raise():
    silent = []
    for path in (ROOT / "binenc").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_") or node.name == "main":
                continue
            said = ast.get_docstring(node)
            if (
                said
                and "Raises" not in said
                and any(isinstance(n, ast.Raise) and n.exc for n in ast.walk(node))
            ):
                silent.append(f"{path.name}: {node.name}")
    assert silent == []
