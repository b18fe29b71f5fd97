"""The notebooks of the book: their form, and that each runs by itself from top to bottom."""

import ast
import json
import re
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import nbformat
import pytest
from copying import copy_repository, sh

from binenc.claims.paper import CLAIMS
from binenc.profile import ROOT, Profile
from pipeline.page import parameters

NOTEBOOKS = sorted((ROOT / "book").glob("*.ipynb"))
CHAPTER = {"profiles", "experiments", "protocols", "architectures", "seeds"}
RUN = {"profile", "experiment", "protocol", "architecture", "seed"}


def cells(path: Path) -> list[nbformat.NotebookNode]:
    return nbformat.read(path, as_version=4).cells


def code(path: Path) -> list[str]:
    return [cell.source for cell in cells(path) if cell.cell_type == "code"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
class TestForm:
    def test_valid_and_for_python3(self, path):
        content = nbformat.read(path, as_version=4)
        nbformat.validate(content)
        assert content.metadata.kernelspec.name == "python3"
        assert "papermill" not in content.metadata

    def test_no_outputs_and_no_counts(self, path):
        for cell in cells(path):
            if cell.cell_type == "code":
                assert cell.outputs == []
                assert cell.execution_count is None
            assert set(cell.metadata) <= {"tags"}

    def test_short(self, path):
        assert len(cells(path)) <= (5 + 2 * len(CLAIMS) if path.stem == "claims" else 25)
        assert {cell.id: n for cell in cells(path) if (n := len(cell.source.splitlines())) > 15} == {}

    def test_ids_are_words_that_stay(self, path):
        ids = [cell.id for cell in cells(path)]
        assert len(set(ids)) == len(ids)
        assert all(re.fullmatch(r"[a-z][a-z0-9-]*", i) for i in ids)

    def test_title_and_parameters_come_first(self, path):
        title, second, *rest = cells(path)
        assert title.cell_type == "markdown"
        assert re.match(r"# \S.*\n\n.*\S", title.source)
        assert second.metadata.get("tags") == ["parameters"]
        assert not any("parameters" in cell.metadata.get("tags", []) for cell in rest)
        assert not any(re.search(r"^# ", cell.source, re.M) for cell in rest if cell.cell_type == "markdown")

    def test_parameters_are_plain_and_each_has_a_comment(self, path):
        source = cells(path)[1].source
        assert set(parameters(path)) == (RUN if path.stem == "run" else CHAPTER)
        for line in source.splitlines():
            # papermill reads the comment, and is confused by a quote in it.
            assert re.fullmatch(r"""\w+ = [^#]+  # [^#"']+""", line)

    def test_no_cell_defines_what_another_place_could_need(self, path):
        for source in code(path):
            kinds = {type(node) for node in ast.walk(ast.parse(source))}
            assert not kinds & {ast.FunctionDef, ast.ClassDef, ast.Lambda}

    def test_each_section_is_prose_before_its_calls(self, path):
        kinds = [cell.cell_type for cell in cells(path)]
        for i, cell in enumerate(cells(path)):
            if cell.cell_type == "markdown" and i + 1 < len(kinds):
                assert kinds[i + 1] == "code", f"{cell.id} is followed by more prose"

    def test_ends_with_where_the_numbers_come_from(self, path):
        if path.stem not in ("intro", "claims", "protocols"):
            headings = [re.match("## (.*)", c.source)[1] for c in cells(path) if c.source.startswith("## ")]
            assert headings[-1] == "Where the numbers come from"


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    """A copy of the repository in which the smoke runs were trained, by opening one page."""
    target = copy_repository(tmp_path_factory.mktemp("copy") / "binenc")
    train = "from binenc import study; print(len(study.read(['quick']).runs['smoke']))"
    said = sh(target, f'OMP_NUM_THREADS=1 python -c "{train}"')
    assert "None of these runs was trained yet" in said
    assert said.split()[-1] == str(len(Profile.read("smoke").all_runs()))
    return target


@pytest.fixture(scope="module")
def pages(copy) -> dict[str, Path]:
    """Each notebook, executed with its default parameters; two at a time, each process a half of them."""
    script = (
        "from pathlib import Path; from pipeline.page import execute; "
        "[execute(Path(f'book/{{n}}.ipynb'), Path(f'_build/t/{{n}}.ipynb'), {{}}) for n in {}]"
    )
    names = [path.stem for path in NOTEBOOKS]
    environment = {"BINENC_FIGURES": str(copy / "_build/figures"), "OMP_NUM_THREADS": "1"}
    with ThreadPoolExecutor(2) as pool:
        list(
            pool.map(
                lambda half: sh(copy, f'python -c "{script.format(half)}"', **environment),
                (names[::2], names[1::2]),
            )
        )
    return {name: copy / f"_build/t/{name}.ipynb" for name in names}


def displayed(path: Path, kind: str) -> list[str]:
    outputs = [o for cell in cells(path) if cell.cell_type == "code" for o in cell.outputs]
    return [o.data[kind] for o in outputs if kind in o.get("data", {})]


def test_every_notebook_runs_with_its_defaults(pages):
    for page in pages.values():
        ran = [cell for cell in cells(page) if cell.cell_type == "code" and cell.source.strip()]
        assert all(cell.execution_count for cell in ran)
        said = [o for cell in ran for o in cell.outputs if o.output_type in ("error", "stream")]
        assert [o for o in said if o.get("name") != "stdout"] == []


def test_a_page_of_smoke_runs_says_that_they_are_no_evidence(pages):
    about = Profile.read("smoke").about
    for name in ("data", "architectures", "binarity", "encoding", "accuracy", "neural_collapse"):
        assert any(about in text for text in displayed(pages[name], "text/markdown"))
        assert "evidence of nothing" in pages[name].read_text()


def test_figures_and_tables_have_names_of_their_own_and_files(pages, copy):
    names = Counter()
    for page in pages.values():
        for text in displayed(page, "text/markdown"):
            names.update(re.findall(r"^:name: (\S+)$", text, re.M))
            for name, end in re.findall(r"</figures/([^>]+)\.(\w+)>", text):
                assert (copy / f"_build/figures/{name}.{end}").stat().st_size > 0
            for alt in re.findall(r"^:alt: (.*)$", text, re.M):
                assert len(json.loads(alt)) > 40
    assert {name: n for name, n in names.items() if n > 1} == {}
    shown = {"binarity", "binarity-scale-free", "latents", "encoding", "codes", "codebook", "nearest-code"}
    shown |= {
        "accuracy",
        "final-accuracy",
        "collapse-means",
        "collapse-within",
        "collapse-duality",
        "projection",
    }
    for name in shown:
        assert any(found.startswith(f"fig-{name}-smoke-") for found in names)


def test_figures_are_small(pages, copy):
    sizes = {path.name: path.stat().st_size for path in (copy / "_build/figures").iterdir()}
    assert {name: size for name, size in sizes.items() if size > 250_000} == {}


def test_figures_of_a_page_are_those_of_its_records(pages, copy):
    """One number of one figure, followed from the record to the file."""
    code = (
        "import pandas as pd; h = pd.read_parquet('results/smoke/{}/history.parquet'); "
        "print(h[(h.metric == 'code_share') & (h.split == 'train') & (h.epoch == 5)].value.item())"
    )
    run = "digits_mlp/as_written/binary_encoding/seed-"
    values = [float(sh(copy, f'python -c "{code.format(run + seed)}"')) for seed in "01"]
    table = (copy / "_build/figures/encoding-smoke-as-written.csv").read_text().splitlines()
    header, *lines = (line.split(",") for line in table)
    rows = [dict(zip(header, line, strict=True)) for line in lines]
    asked = {
        "architecture": "binary_encoding",
        "experiment": "digits_mlp",
        "metric": "code_share",
        "epoch": "5",
    }
    (row,) = (row for row in rows if asked.items() <= row.items())
    assert float(row["mean"]) == pytest.approx(sum(values) / 2, rel=1e-5)
    assert row["n"] == "2"


def test_a_chapter_of_a_part_of_the_runs(copy, tmp_path):
    words = "profiles=[smoke] architectures=[linear_penultimate] protocols=[as_written]"
    elsewhere = {"BINENC_FIGURES": str(tmp_path / "elsewhere")}  # is for who opens a notebook
    sh(copy, f"python -m pipeline.page book/encoding.ipynb {tmp_path}/part.ipynb {words}", **elsewhere)
    figures = tmp_path / "figures"
    assert {path.name for path in figures.glob("*.svg")} == {
        f"{name}-smoke-as-written.svg" for name in ("encoding", "codes", "nearest-code")
    } | {"codebook-smoke-digits-mlp-as-written.svg"}
    assert "non-linear" not in (figures / "encoding-smoke-as-written.svg").read_text().lower()


def test_chapters_of_a_seed_that_one_architecture_has(copy, tmp_path):
    for chapter in ("encoding", "intro"):
        page = tmp_path / f"{chapter}.ipynb"
        sh(copy, f"python -m pipeline.page book/{chapter}.ipynb {page} profiles=[smoke] seeds=[1]")
    seeds = re.findall(r"Seeds? ([\d, ]+); \d+ test points", "".join(displayed(page, "text/markdown")))
    assert seeds == ["1"]


def test_reading_pages_do_not_import_torch():
    """It takes seconds; only what trains, or reads a dataset or the code of a network, does."""
    lines = []
    for path in NOTEBOOKS:
        imports = [
            line for source in code(path) for line in source.splitlines() if re.match("import|from", line)
        ]
        allowed = {"data": r"\b(images|datasets)\b", "architectures": r"\bmodels\b"}.get(path.stem, r"(?!)")
        lines += [line for line in imports if not re.search(allowed, line)]
    script = "\n".join([*lines, "import sys", "sys.exit('torch' in sys.modules)"])
    assert len(lines) > 2 * len(NOTEBOOKS)
    assert subprocess.run([sys.executable, "-c", script], cwd=ROOT).returncode == 0
