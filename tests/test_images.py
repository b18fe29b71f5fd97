"""Pictures of the data sets."""

import dataclasses

import numpy as np
import pandas as pd
import torch

from binenc import data
from binenc.figures import images


def test_the_numbers_beside_the_pictures_are_the_sizes_of_the_classes(shown, tmp_path):
    images.samples({"digits": data.load("digits"), "mnist": None})
    table = pd.read_csv(tmp_path / "figures/samples-digits.csv")
    assert (table.train.sum(), table.test.sum()) == (1437, 360)
    assert len(list((tmp_path / "figures").glob("samples-*.csv"))) == 1


def test_a_class_with_few_images_has_blanks_after_them():
    digits = data.load("digits")
    some = torch.cat([digits.train.labels.eq(c).nonzero()[: 12 * (c != 3)] for c in range(10)]).flatten()
    few = dataclasses.replace(digits, train=data.Split(digits.train.images[some], digits.train.labels[some]))
    shown, full = (images.draw_samples(d, 10).axes[0].images[0].get_array() for d in (few, digits))
    assert shown.shape == full.shape
    third = slice(3 * len(full) // 10, 4 * len(full) // 10)
    assert (shown[third] == -1).all()
    assert (np.delete(shown, third, 0) == np.delete(full, third, 0)).all()
