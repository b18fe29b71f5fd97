"""The page 'Tinker' does what it says: its blocks, as they stand there, on a copy with the smoke profile."""

import json
import re

import pytest
from copying import copy_repository, sh

from binenc.profile import ROOT

pytestmark = pytest.mark.pipeline

BLOCK = re.compile(r"^```(bash|python|yaml)\n(.*?)^```$", re.M | re.S)


def test_every_block_of_the_page_works_as_written(tmp_path):
    copy = copy_repository(tmp_path / "binenc")
    blocks = BLOCK.findall((copy / "book/tinker.md").read_text())
    assert len(blocks) >= 7
    for kind, text in blocks:
        if kind == "bash":
            sh(copy, text, PROFILE="smoke", BINENC_DEVICE="cpu")
        else:
            name = re.match(r"# (\S+)\n", text)[1]
            with (copy / name).open("a") as file:
                file.write(f"\n\n{text}")

    made = {str(p.relative_to(copy / "results").parent) for p in copy.glob("results/**/run.json")}
    assert made == {
        "smoke/digits_mlp,gamma=1/as_written/binary_encoding/seed-0",
        "smoke/digits_mlp/as_written,softmax_twice=true/linear_penultimate/seed-0",
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


def test_the_page_is_short():
    blocks = BLOCK.findall((ROOT / "book/tinker.md").read_text())
    assert all(len(text.splitlines()) <= 10 for _, text in blocks)
