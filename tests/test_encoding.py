"""Codes and codebooks, against dictionaries of tuples."""

from collections import Counter
from itertools import combinations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from binenc.metrics import by_class
from binenc.metrics.encoding import code_share, code_table, codes, distinct_rows, encoding, unpack

SHAPES = {
    "n": st.integers(1, 80),
    "d": st.integers(1, 20),
    "n_classes": st.integers(1, 6),
    "seed": st.integers(0, 9999),
}


def sample(n, d, n_classes, seed, noise=0.7):
    """Points around random vertices of the cube, some exactly 0, some classes possibly without a point."""
    g = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, n_classes, (n,), generator=g)
    vertices = torch.randn(n_classes, d, generator=g).sign()
    latents = vertices[classes] + noise * torch.randn(n, d, generator=g)
    latents[torch.rand(n, d, generator=g) < 0.05] = 0.0
    return latents, classes, torch.randint(0, n_classes, (n,), generator=g)


def oracle(latents, classes, n_classes, labels):
    """The definitions, point by point; also the number of equally common codes of each class."""
    rows = [tuple(bool(v > 0) for v in point) for point in latents.tolist()]
    members = {
        c: [r for r, k in zip(rows, classes.tolist(), strict=True) if k == c] for c in range(n_classes)
    }
    members = {c: m for c, m in members.items() if m}
    # codes() puts dimension j w + k into bit j of byte k; of equally common codes the first by those bytes.
    as_bytes = {r: tuple(p) for r, p in zip(rows, codes(latents).tolist(), strict=True)}
    book = {
        c: min(Counter(m).items(), key=lambda rc: (-rc[1], as_bytes[rc[0]]))[0] for c, m in members.items()
    }
    agree = []
    for m in members.values():
        for k in range(latents.shape[1]):
            f = sum(r[k] for r in m) / len(m)
            agree.append(max(f, 1 - f))
    differ = lambda a, b: sum(x != y for x, y in zip(a, b, strict=True))  # noqa: E731
    distances = [differ(book[a], book[b]) for a, b in combinations(book, 2)] or [0]
    nearest = [min(book, key=lambda c: (differ(r, book[c]), c)) for r in rows]
    return book, {
        "code_share": np.mean([m.count(book[c]) / len(m) for c, m in members.items()]),
        "bit_agreement": np.mean(agree),
        "codes_in_use": len(set(rows)),
        "codes_per_class": np.mean([len(set(m)) for m in members.values()]),
        "distinct_codebook_rows": len(set(book.values())),
        "hamming_mean": np.mean(distances),
        "hamming_min": min(distances),
        "codebook_accuracy": np.mean([a == b for a, b in zip(nearest, labels.tolist(), strict=True)]),
    }


@given(st.integers(1, 40), st.integers(1, 20), st.sampled_from([2, 3, 256]), st.integers(0, 2**32 - 1))
def test_distinct_rows_are_those_of_torch(n, width, values, seed):
    packed = torch.randint(values, (n, width), generator=torch.Generator().manual_seed(seed)).to(torch.uint8)
    rows, which = distinct_rows(packed)
    expected, inverse = torch.unique(packed, dim=0, return_inverse=True)
    assert torch.equal(rows, expected)
    assert torch.equal(which, inverse)


@pytest.mark.gpu
@pytest.mark.parametrize("d", [64, 2048])
def test_a_gpu_finds_the_same_codes_again_and_again(d):
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    latents, classes, _ = sample(60_000, d, 10, 0)
    expected = code_table(latents, classes, 10)
    latents, classes = latents.cuda(), classes.cuda()
    for _ in range(50):
        for found, wanted in zip(code_table(latents, classes, 10), expected, strict=True):
            assert torch.equal(found.cpu(), wanted)


@settings(max_examples=80, deadline=None)
@given(**SHAPES)
def test_definitions(n, d, n_classes, seed):
    latents, classes, labels = sample(n, d, n_classes, seed)
    book, expected = oracle(latents, classes, n_classes, labels)
    assert encoding(latents, classes, n_classes, labels) == pytest.approx(expected, abs=1e-12)
    table, rows = code_table(latents, classes, n_classes)
    assert {c: tuple(rows[c].tolist()) for c in book} == book
    empty = [c for c in range(n_classes) if c not in book]
    assert not rows[empty].any()
    shares = code_share(table)
    assert shares[empty].isnan().all()
    assert shares[list(book)].mean().item() == pytest.approx(expected["code_share"])


@settings(max_examples=40, deadline=None)
@given(n=st.integers(1, 30), d=st.integers(1, 70), seed=st.integers(0, 9999))
def test_packing_is_undone_and_one_to_one(n, d, seed):
    latents, _, _ = sample(n, d, 3, seed)
    packed = codes(latents)
    assert packed.dtype == torch.uint8
    assert packed.shape == (n, (d + 7) // 8)
    assert torch.equal(unpack(packed, d), latents > 0)


def test_zero_and_below_are_0():
    latents = torch.tensor([[-1.0, -0.0, 0.0, 1e-30]])
    assert unpack(codes(latents), 4).tolist() == [[False, False, False, True]]


def test_simplex_on_the_cube():
    """(1,1,1), (1,-1,-1), (-1,1,-1), (-1,-1,1): a regular tetrahedron, each class on one vertex."""
    vertices = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    classes = torch.arange(4).repeat(10)
    values = encoding(vertices[classes], classes, 4, classes)
    assert values == {
        "code_share": 1,
        "bit_agreement": 1,
        "codes_in_use": 4,
        "codes_per_class": 1,
        "distinct_codebook_rows": 4,
        "hamming_mean": 2,
        "hamming_min": 2,
        "codebook_accuracy": 1,
    }
    _, book = code_table(vertices[classes], classes, 4)
    assert torch.equal(book, vertices > 0)


def test_ties_go_to_the_lowest_class_and_empty_classes_are_never_chosen():
    latents = torch.tensor([[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]])
    classes = torch.tensor([1, 2, 3])  # 1 and 2 share a row; 0 and 4 have no point, their rows are all False
    assert encoding(latents, classes, 5, torch.tensor([1, 1, 3]))["codebook_accuracy"] == 1


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_size_of_a_block_changes_nothing(monkeypatch, rows):
    latents, classes, labels = sample(100, 11, 4, seed=3)
    whole = encoding(latents, classes, 4, labels)
    monkeypatch.setitem(by_class.BLOCK, "cpu", rows * 11)
    assert encoding(latents, classes, 4, labels) == pytest.approx(whole, abs=1e-14)


def test_order_of_points_and_names_of_classes_change_nothing():
    latents, classes, labels = sample(300, 24, 5, seed=1, noise=0.4)
    values = encoding(latents, classes, 5, labels)
    order, name = torch.randperm(300), torch.tensor([3, 0, 4, 2, 1])
    shuffled = encoding(latents[order], name[classes[order]], 5, name[labels[order]])
    values.pop("codebook_accuracy"), shuffled.pop("codebook_accuracy")  # its ties go by the name
    assert shuffled == pytest.approx(values, abs=1e-14)


def test_noise_has_no_code():
    torch.manual_seed(0)
    latents, classes = torch.randn(4000, 50), torch.arange(4000) % 4
    values = encoding(latents, classes, 4, classes)
    assert values["code_share"] == pytest.approx(1 / 1000)
    assert values["codes_in_use"] == 4000
    assert values["bit_agreement"] == pytest.approx(0.5, abs=0.02)


def test_one_class_alone_has_distance_0():
    latents, classes, labels = sample(20, 9, 1, seed=0)
    values = encoding(latents, classes + 2, 4, labels)
    assert values["hamming_mean"] == values["hamming_min"] == 0
    assert values["distinct_codebook_rows"] == 1


@pytest.mark.parametrize(
    ("latents", "classes", "reason"),
    [
        (torch.zeros(0, 3), torch.zeros(0, dtype=torch.long), "neither of them 0"),
        (torch.zeros(4), torch.zeros(4, dtype=torch.long), "must be \\(N, d\\)"),
        (torch.zeros(4, 3), torch.zeros(3, dtype=torch.long), "4 signed integers"),
        (torch.zeros(4, 3), torch.zeros(4, dtype=torch.uint8), "4 signed integers"),
        (torch.zeros(4, 3), torch.zeros(4), "4 signed integers"),
        (torch.zeros(4, 3), torch.tensor([0, 1, 2, 3]), "0 .. 2"),
        (torch.zeros(4, 3), torch.tensor([0, 1, 2, -1]), "0 .. 2"),
    ],
)
def test_what_are_not_points_of_classes_is_refused(latents, classes, reason):
    with pytest.raises(ValueError, match=reason):
        code_table(latents, classes, 3)


def test_labels_that_do_not_exist_are_refused():
    with pytest.raises(ValueError, match=r"0 \.\. 2"):
        encoding(torch.zeros(4, 3), torch.tensor([0, 1, 2, 0]), 3, torch.tensor([0, 1, 2, 3]))
