"""Accuracy, against counting by hand."""

import pytest
import torch

from binenc.metrics.accuracy import accuracy, class_accuracy


def test_counts_by_hand():
    logits = torch.tensor([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0], [5.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    labels = torch.tensor([0, 1, 1, 1])
    assert accuracy(logits, labels) == {"accuracy": 0.5}
    by_class = class_accuracy(logits, labels)
    assert by_class[:2].tolist() == [1.0, pytest.approx(1 / 3)]
    assert by_class[2].isnan()  # no point has this label


def test_class_accuracies_average_to_the_accuracy():
    logits, labels = torch.randn(300, 5), torch.randint(0, 5, (300,))
    weighted = (class_accuracy(logits, labels) * torch.bincount(labels)).sum() / 300
    assert weighted.item() == pytest.approx(accuracy(logits, labels)["accuracy"])


@pytest.mark.parametrize("shape", [(0, 3), (4,), (5, 3)])
def test_shapes_that_do_not_match_are_refused(shape):
    with pytest.raises(ValueError, match="must be"):
        accuracy(torch.zeros(shape), torch.zeros(4, dtype=torch.long))
