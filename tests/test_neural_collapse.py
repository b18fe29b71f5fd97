"""Neural collapse, against loops over classes, pairs and covariance matrices in numpy."""

from itertools import combinations, combinations_with_replacement

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from binenc.metrics import by_class
from binenc.metrics.by_class import class_means
from binenc.metrics.neural_collapse import neural_collapse

PAIRS, BETWEEN = ("distinct", "with_self"), ("papyan", "sample")
NOT_DEFINED = {"equinorm", "equiangularity", "max_angle", "tr_sw_sb", "nc3"}


def oracle(latents, classes, n_classes, weight, logits, max_angle_pairs="distinct", between_class="papyan"):
    """The definitions, for classes whose means differ."""
    x, y, w, f = (np.asarray(t, dtype=float) for t in (latents, classes, weight, logits))
    present = [c for c in range(n_classes) if (y == c).any()]
    means = np.array([x[y == c].mean(axis=0) for c in present])
    centred = means - x.mean(axis=0)
    norms = np.array([np.sqrt(m @ m) for m in centred])
    cosine = lambda a, b: centred[a] @ centred[b] / norms[a] / norms[b]  # noqa: E731
    k = range(len(present))
    cosines = [cosine(a, b) for a, b in combinations(k, 2)]
    pairs = combinations(k, 2) if max_angle_pairs == "distinct" else combinations_with_replacement(k, 2)
    within = np.mean([np.atleast_2d(np.cov(x[y == c].T, bias=True)) for c in present], axis=0)
    if between_class == "papyan":
        between = np.mean([np.outer(m, m) for m in centred], axis=0)
    else:
        between = np.atleast_2d(np.cov(means.T))
    w = w[present]
    nearest = [present[np.argmin([np.linalg.norm(p - m) for m in means])] for p in x]
    return {
        "equinorm": norms.std() / norms.mean(),
        "equiangularity": np.std(cosines) if len(cosines) > 1 else np.nan,
        "max_angle": np.mean([abs(cosine(a, b) + 1 / (n_classes - 1)) for a, b in pairs]),
        "tr_sw_sb": np.trace(within @ np.linalg.pinv(between, rcond=1e-12, hermitian=True)) / len(present),
        "within_class_covariance": within.mean(),
        "trace_sw": np.trace(within),
        "nc3": np.sqrt(((w / np.sqrt((w**2).sum()) - centred / np.sqrt((centred**2).sum())) ** 2).sum()),
        "nc4": np.mean(nearest == f.argmax(axis=1)),
    }


def sample(n, d, n_classes, seed, noise=0.5, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    classes = torch.randint(0, n_classes, (n,), generator=g)
    latents = torch.randn(n_classes, d, generator=g)[classes] + noise * torch.randn(n, d, generator=g)
    weight = torch.randn(n_classes, d, generator=g)
    return latents.to(dtype), classes, n_classes, weight.to(dtype), (latents @ weight.T).to(dtype)


def simplex(n_classes, d, seed=0):
    """Vertices of a simplex, centred on 0, at distance 1, in a random orientation."""
    g = torch.Generator().manual_seed(seed)
    q, _ = torch.linalg.qr(torch.randn(d, d, generator=g, dtype=torch.float64))
    vertices = torch.eye(n_classes, dtype=torch.float64) - 1 / n_classes
    return (n_classes / (n_classes - 1)) ** 0.5 * vertices @ q[:n_classes]


@settings(max_examples=150, deadline=None)
@given(
    n=st.integers(3, 60),
    d=st.integers(1, 12),
    n_classes=st.integers(2, 7),
    seed=st.integers(0, 9999),
    pairs=st.sampled_from(PAIRS),
    between=st.sampled_from(BETWEEN),
)
def test_definitions(n, d, n_classes, seed, pairs, between):
    points = sample(n, d, n_classes, seed)
    values = neural_collapse(*points, pairs, between)
    if len(points[1].unique()) < n_classes:
        assert {k for k, v in values.items() if np.isnan(v)} == NOT_DEFINED
        values = {k: v for k, v in values.items() if k not in NOT_DEFINED}
        if len(points[1].unique()) < 2:
            return
    expected = {k: v for k, v in oracle(*points, pairs, between).items() if k in values}
    assert values == pytest.approx(expected, rel=1e-5, abs=1e-9, nan_ok=True)


@pytest.mark.parametrize(("n_classes", "d"), [(2, 2), (4, 4), (10, 64)])
def test_perfect_simplex(n_classes, d):
    vertices = simplex(n_classes, d)
    classes = torch.arange(n_classes).repeat(7)
    points = 3 * vertices[classes] + 5
    values = neural_collapse(points, classes, n_classes, 2 * vertices, (points - 5) @ vertices.T)
    perfect = dict.fromkeys(values, 0) | {"nc4": 1}
    if n_classes == 2:
        assert np.isnan(values.pop("equiangularity"))
        perfect.pop("equiangularity")
    assert values == pytest.approx(perfect, abs=1e-12)


@pytest.mark.parametrize("n_classes", [3, 10])
def test_pairs_with_self_add_a_constant_to_a_perfect_simplex(n_classes):
    vertices = simplex(n_classes, 16)
    values = neural_collapse(
        vertices, torch.arange(n_classes), n_classes, vertices, vertices @ vertices.T, "with_self"
    )
    assert values["max_angle"] == pytest.approx(2 * n_classes / (n_classes**2 - 1), abs=1e-12)


def test_vertices_of_the_cube():
    """Four of them make a simplex; moving one class to a neighbouring vertex breaks it."""
    vertices = torch.tensor([[1.0, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]])
    classes = torch.arange(4).repeat(5)
    values = neural_collapse(vertices[classes], classes, 4, vertices, vertices[classes] @ vertices.T)
    assert values["max_angle"] == pytest.approx(0, abs=1e-12)
    vertices[3] = torch.tensor([1.0, -1, 1])
    moved = neural_collapse(vertices[classes], classes, 4, vertices, vertices[classes] @ vertices.T)
    assert min(moved["equinorm"], moved["equiangularity"], moved["max_angle"]) > 0.1
    assert moved["trace_sw"] == moved["tr_sw_sb"] == 0


def test_clusters_of_known_width():
    """Isotropic noise of variance s^2 around a simplex: Sb has C-1 eigenvalues 1/(C-1), Sw is s^2 I."""
    n_classes, d, s = 5, 20, 0.1
    g = torch.Generator().manual_seed(0)
    classes = torch.arange(n_classes).repeat(4000)
    points = simplex(n_classes, d)[classes] + s * torch.randn(
        len(classes), d, generator=g, dtype=torch.float64
    )
    weight = simplex(n_classes, d)
    values = neural_collapse(points, classes, n_classes, weight, points @ weight.T)
    assert values["trace_sw"] == pytest.approx(d * s**2, rel=0.01)
    assert values["within_class_covariance"] == pytest.approx(s**2 / d, rel=0.05)
    assert values["tr_sw_sb"] == pytest.approx(s**2 * (n_classes - 1) ** 2 / n_classes, rel=0.03)
    assert values["nc4"] == 1
    sharper = neural_collapse(
        points + (weight[classes] - points) * 0.9, classes, n_classes, weight, points @ weight.T
    )
    assert sharper["tr_sw_sb"] < values["tr_sw_sb"] / 50


def test_noise_is_far_from_a_simplex():
    points, classes, n_classes, weight, logits = sample(8000, 20, 6, seed=0, noise=1.0)
    points = torch.randn(8000, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    values = neural_collapse(points, classes, n_classes, weight, logits)
    assert values["within_class_covariance"] == pytest.approx(1 / 20, rel=0.1)
    assert values["tr_sw_sb"] > 100
    assert values["nc4"] < 0.5


@pytest.mark.parametrize("between", BETWEEN)
def test_turning_moving_and_scaling(between):
    points, classes, n_classes, weight, logits = sample(200, 9, 4, seed=2)
    values = neural_collapse(points, classes, n_classes, weight, logits, between_class=between)
    q, _ = torch.linalg.qr(torch.randn(9, 9, dtype=torch.float64))
    turned = neural_collapse(
        3 * points @ q + 100, classes, n_classes, weight @ q, logits, between_class=between
    )
    assert turned["trace_sw"] == pytest.approx(9 * values["trace_sw"])
    # The mean entry of a matrix depends on the axes.
    for values_of in (values, turned):
        values_of.pop("within_class_covariance"), values_of.pop("trace_sw")
    assert turned == pytest.approx(values, rel=1e-8)


@pytest.mark.parametrize("between", BETWEEN)
def test_order_of_points_and_names_of_classes_change_nothing(between):
    points, classes, n_classes, weight, logits = sample(200, 9, 5, seed=4)
    values = neural_collapse(points, classes, n_classes, weight, logits, between_class=between)
    order, name = torch.randperm(200), torch.tensor([3, 0, 4, 2, 1])
    shuffled = neural_collapse(
        points[order],
        name[classes[order]],
        n_classes,
        weight[name.argsort()],
        logits[order][:, name.argsort()],
        between_class=between,
    )
    assert shuffled == pytest.approx(values, rel=1e-10)


@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_size_of_a_block_changes_nothing(monkeypatch, rows):
    points = sample(100, 11, 4, seed=3)
    whole = neural_collapse(*points)
    monkeypatch.setitem(by_class.BLOCK, "cpu", rows * 11)
    assert neural_collapse(*points) == pytest.approx(whole, rel=1e-12)


@pytest.mark.parametrize("between", BETWEEN)
def test_float32_with_a_large_offset_loses_no_digits(between):
    points, classes, n_classes, weight, logits = sample(500, 6, 4, seed=5, dtype=torch.float32, noise=0.01)
    points = points + 1000
    values = neural_collapse(points, classes, n_classes, weight, logits, between_class=between)
    assert values == pytest.approx(
        oracle(points, classes, n_classes, weight, logits, between_class=between), rel=1e-8
    )


@pytest.mark.parametrize("constant", [0.0, 0.1])
def test_dead_units_change_nothing_but_the_mean_entry(constant):
    points, classes, n_classes, weight, logits = sample(300, 8, 4, seed=6, dtype=torch.float32)
    values = neural_collapse(points, classes, n_classes, weight, logits)
    dead = torch.full((300, 24), constant)
    padded = torch.cat([weight, torch.zeros(n_classes, 24)], dim=1)
    more = neural_collapse(torch.cat([points, dead], dim=1), classes, n_classes, padded, logits)
    values["within_class_covariance"] /= 16
    assert more == pytest.approx(values, rel=1e-9)


@pytest.mark.parametrize("jitter", [0.0, 1e-8])
def test_two_classes_with_one_mean_do_not_blow_up(jitter):
    points, classes, *_ = sample(300, 8, 3, seed=7)
    again = torch.where(classes == 0, 3, classes)
    points, classes = torch.cat([points, points + jitter]), torch.cat([classes, again])
    weight, logits = torch.randn(4, 8), torch.randn(600, 4)
    values = neural_collapse(points, classes, 4, weight, logits)
    assert 0 < values["tr_sw_sb"] < 10
    assert values["max_angle"] > 0.1


def test_a_class_without_a_point_is_left_out_where_no_simplex_is_asked_for():
    points, classes, n_classes, weight, logits = sample(200, 9, 4, seed=8)
    values = neural_collapse(points, classes, n_classes, weight, logits)
    gap = torch.tensor([0, 2, 3, 5])
    wide_weight, wide_logits = torch.full((6, 9), 1e6), torch.full((200, 6), -1e6)
    wide_weight[gap], wide_logits[:, gap] = weight.float(), logits.float()
    wide = neural_collapse(points, gap[classes], 6, wide_weight, wide_logits)
    assert {k for k, v in wide.items() if np.isnan(v)} == NOT_DEFINED
    for name in values.keys() - NOT_DEFINED:
        assert wide[name] == pytest.approx(values[name], rel=1e-6)


@pytest.mark.parametrize("pairs", PAIRS)
@pytest.mark.parametrize("between", BETWEEN)
def test_not_defined_is_nan_and_says_what(pairs, between):
    points, classes, n_classes, weight, logits = sample(50, 4, 3, seed=9, dtype=torch.float32)
    undefined = lambda *a: {k for k, v in neural_collapse(*a, pairs, between).items() if np.isnan(v)}  # noqa: E731
    assert undefined(points, classes, n_classes, weight, logits) == set()
    assert undefined(points, classes * 0, n_classes, weight, logits) == NOT_DEFINED
    assert undefined(points, classes * 0 + 2, n_classes, weight, logits) == NOT_DEFINED
    assert undefined(points, classes.clamp(max=1), n_classes, weight, logits) == NOT_DEFINED
    assert undefined(points, classes.clamp(max=1), 2, weight[:2], logits[:, :2]) == {"equiangularity"}
    assert undefined(points * 0 + 0.1, classes, n_classes, weight, logits) == NOT_DEFINED
    assert undefined(points[:1], classes[:1], n_classes, weight, logits[:1]) == NOT_DEFINED
    assert undefined(points, classes, n_classes, weight * 0, logits) == {"nc3"}


def test_equal_points_have_exactly_equal_means():
    latents, classes = torch.full((1000, 3), 0.1), torch.arange(1000) % 3
    means, centre, count = class_means(latents, classes, 4)
    assert torch.equal(means, centre.expand(4, 3))
    assert count.tolist() == [334, 333, 333, 0]


def test_means_that_differ_by_rounding_alone_coincide():
    base = torch.randn(100, 4, dtype=torch.float64)
    points = torch.cat([base[torch.randperm(100)] for _ in range(3)])
    values = neural_collapse(points, torch.arange(300) // 100, 3, torch.eye(3, 4), torch.randn(300, 3))
    assert {k for k, v in values.items() if np.isnan(v)} == NOT_DEFINED


def test_a_class_mean_at_the_global_mean_has_cosine_0():
    points = torch.tensor([[1.0, 0], [-1, 0], [0, 1], [0, -1], [0, 0]])
    values = neural_collapse(points, torch.arange(5), 5, points, points @ points.T)
    # two pairs at -1, eight at 0, all against -1/4; lengths 1, 1, 1, 1, 0
    assert values["max_angle"] == pytest.approx((2 * 0.75 + 8 * 0.25) / 10)
    assert values["equinorm"] == pytest.approx(0.4 / 0.8)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_latents_that_diverged_are_refused(bad):
    points, *rest = sample(50, 4, 3, seed=9)
    points[3, 2] = bad
    with pytest.raises(ValueError, match="diverged"):
        neural_collapse(points, *rest)


def test_choices_and_shapes_that_do_not_exist_are_refused():
    points, classes, n_classes, weight, logits = sample(50, 4, 3, seed=9)
    with pytest.raises(ValueError, match="allowed are distinct, with_self"):
        neural_collapse(points, classes, n_classes, weight, logits, max_angle_pairs="all")
    with pytest.raises(ValueError, match="allowed are papyan, sample"):
        neural_collapse(points, classes, n_classes, weight, logits, between_class="none")
    with pytest.raises(ValueError, match="must be C >= 2"):
        neural_collapse(points, classes, n_classes, weight.T, logits)
    with pytest.raises(ValueError, match="must be C >= 2"):
        neural_collapse(points, classes, n_classes, weight, logits[1:])
    with pytest.raises(ValueError, match="must be C >= 2"):
        neural_collapse(points, classes * 0, 1, weight[:1], logits[:, :1])


@pytest.mark.parametrize("between", BETWEEN)
def test_a_direction_in_which_class_means_hardly_differ_counts(between):
    points, *rest = sample(400, 3, 4, seed=10)
    points[:, 2] *= 1e-4
    values = neural_collapse(points, *rest, between_class=between)
    assert values == pytest.approx(oracle(points, *rest, between_class=between), rel=1e-5)


@pytest.mark.parametrize("dtype", [torch.int8, torch.int16, torch.int32])
def test_classes_may_be_small_integers(dtype):
    points, classes, *rest = sample(50, 3, 4, seed=3)
    assert neural_collapse(points, classes.to(dtype), *rest) == neural_collapse(points, classes, *rest)
