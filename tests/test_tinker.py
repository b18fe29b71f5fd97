"""The page 'Tinker' does what it says: its blocks, as they stand there, on a copy with the smoke profile."""

import json
import re
import shutil

import nbformat
import pytest
from copying import copy_repository, sh
from nbformat.v4 import new_code_cell, new_markdown_cell

from binenc.profile import ROOT, Experiment

pytestmark = pytest.mark.pipeline

PAGE = ROOT / "book/tinker.md"
BLOCK = re.compile(r"^```(bash|python|yaml|markdown)\n(.*?)^```$", re.M | re.S)
RECORDED = "results/paper/mnist/as_written"
"""Records that are older than what the page adds, and stay."""
CHECK = """
from binenc.text.tables import protocol_table
assert "centre_latents" in set(protocol_table().Field)
assert len(found.runs["paper"]) == 4  # read by code that has fields which they lack
(mine,) = found.table[(found.table.metric == "norm") & (found.table.split == "test")].value[-1:]
assert mine > 0
assert {v.claim.number for v in judged if v.profile == "paper" and v.effects} == set(range(1, 12))
assert set(history.columns) == {"epoch", "split", "metric", "value"}
assert made["status"] == "complete" and arrays["codebook"].shape[1:] == (10, 64)
"""


def test_every_block_of_the_page_works_as_written(tmp_path):
    copy = copy_repository(tmp_path / "binenc")
    shutil.copytree(ROOT / RECORDED, copy / RECORDED)
    blocks = BLOCK.findall((copy / "book/tinker.md").read_text())
    assert len(blocks) >= 18
    cells = []
    for kind, text in blocks:
        name = re.match(r"# (\S+)\n", text)
        if kind == "bash":
            sh(copy, text, PROFILE="smoke", BINENC_DEVICE="cpu")
        elif kind == "markdown":
            cells.append(new_markdown_cell(text))
        elif name:
            with (copy / name[1]).open("a") as file:
                file.write(f"\n\n{text}")
        else:
            cells.append(new_code_cell(text))

    found = copy.glob("results/**/run.json")
    made = {str(p.relative_to(copy / "results").parent) for p in found if RECORDED not in str(p)}
    assert made == {
        "smoke/digits_mlp,gamma=1/as_written/binary_encoding/seed-0",
        "smoke/digits_mlp/as_written,softmax_twice=true/linear_penultimate/seed-0",
        "smoke/digits_mlp,weight_decay=0.01/as_written,centre_latents=true/binary_encoding/seed-0",
        "smoke/digits_mlp/as_written/tanh_penultimate/seed-0",
        "smoke/digits_mlp/as_written,loss_bin=cosh_of_mean/binary_encoding/seed-0",
        "mine/inked_mlp/as_written/binary_encoding/seed-0",
    }
    for name in made:
        record = json.loads((copy / "results" / name / "run.json").read_text())
        assert record["status"] == "complete"
        assert (copy / "_build/pages" / f"{name}.ipynb").exists()
    gamma = json.loads(
        (copy / "results/smoke/digits_mlp,gamma=1/as_written/binary_encoding/seed-0/run.json").read_text()
    )
    assert gamma["configuration"]["experiment"]["gamma"] == 1

    page = nbformat.read(copy / "book/claims.ipynb", as_version=4)
    page.cells += [new_code_cell("from binenc import figures"), *cells, new_code_cell(CHECK)]
    nbformat.write(page, copy / "book/claims.ipynb")
    chosen = "'profiles=[mine, paper]' 'seeds=[0]'"
    sh(copy, f"python -m pipeline.page book/claims.ipynb _build/claims.ipynb {chosen}")
    assert list(copy.glob("_build/figures/norm*.svg"))


def test_the_page_is_short():
    blocks = BLOCK.findall(PAGE.read_text())
    assert all(len(text.splitlines()) <= 10 for _, text in blocks)


def test_the_page_names_the_fields_that_can_be_changed():
    (said,) = re.findall(r"^Fields of an experiment are (.*?);", PAGE.read_text(), re.M | re.S)
    assert set(re.findall(r"`(\w+)`", said)) == set(Experiment.model_fields) - {
        "title",
        "backbone",
        "channels",
    }
