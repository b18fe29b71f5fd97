"""What is said of the data sets."""

import dataclasses

import pytest
import torch
from drawn import save_all

from binenc import data, records, study
from binenc.profile import Profile
from binenc.text import datasets


def test_digits(made):
    found = study.read(["smoke"])
    here = datasets.read(found)
    dataset = data.load("digits")
    for c, row in datasets.class_counts(dataset).iterrows():
        assert row["class"] == dataset.classes[c]
        assert row.train == (dataset.train.labels == c).sum()
        assert row.test == (dataset.test.labels == c).sum()
    sizes = datasets.sizes(found, here).iloc[0]
    assert (sizes.Training, sizes.Test, sizes.Pixels) == (1437, 360, "8 x 8")
    assert sizes["Same here"].startswith("no, here")  # the drawn records say 'ddd...'
    assert "from -1 to 1" in datasets.scaled(here).replace("−", "-")
    assert datasets.absent(here).startswith("The files of every data set")


def test_range_and_mean_are_of_the_training_images():
    both = [
        data.Split(torch.tensor(pixels).view(3, 1, 1, 1), torch.arange(3))
        for pixels in ([0.0, 0.25, 1.25], [-9.0, 9.0, 3.0])
    ]
    said = datasets.scaled({"made": data.Dataset("made", *both, ["a", "b", "c"])})
    assert said == "- made: from 0 to 1.25, mean 0.500 over the training images."


@pytest.mark.parametrize(("n", "same"), [(1, "no, here "), (None, "yes")])
def test_the_data_is_the_same_where_every_record_says_so(made, smoke, n, same):
    here = data.load("digits").checksum
    for run in smoke.all_runs()[:n]:
        record = made[run.id]
        mine = dataclasses.replace(record, run=record.run | {"data_checksum": here})
        records.save(mine, records.folder(smoke, run))
    found = study.read(["smoke"])
    assert datasets.sizes(found, datasets.read(found))["Same here"].item().startswith(same)


def test_data_that_is_not_here_is_not_downloaded(made, smoke, tmp_path, monkeypatch):
    monkeypatch.setenv("BINENC_DATA", str(tmp_path / "nothing"))
    paper = Profile.read("paper")
    save_all(paper, paper.all_runs()[:1])
    found = study.read(["paper", "smoke"])
    here = datasets.read(found)
    assert here["mnist"] is None
    assert here["digits"] is not None
    assert "mnist are not on this machine" in datasets.absent(here)
    sizes = datasets.sizes(found, here).set_index("Data").loc["mnist"]
    assert sizes["SHA-256 in the records"] == "d" * 16 + "…"
    assert sizes["Same here"] == "files not here"
    assert not (tmp_path / "nothing").exists()
