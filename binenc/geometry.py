"""Where codes and class means lie: how near the vertices of a simplex, and of a hypercube."""

import numpy as np
from scipy.spatial.distance import pdist


def hamming(book: np.ndarray) -> np.ndarray:
    """Number of dimensions in which each two rows of a codebook (C, d) differ: integers of shape (C, C)."""
    return (book[:, None] != book).sum(2)


def pairs(matrix: np.ndarray) -> np.ndarray:
    """The entries above the diagonal of a matrix (C, C), one for each two classes."""
    return matrix[np.triu_indices(len(matrix), 1)]


def plotkin_bound(n_classes: int, d: int) -> float:
    r"""The number of bits that C codes cannot all differ by more than, :math:`\frac d2 \frac C{C-1}`.

    Codes that all differ in h bits are vertices of a simplex, whatever h. On a hypercube around 0 two of them
    have the cosine :math:`1 - 2h/d`; at the bound, which few C and d allow, it is :math:`-1/(C-1)`, and the
    simplex is centred on the cube.
    """
    return d / 2 * n_classes / (n_classes - 1)


def equiangularity(rows: np.ndarray) -> float:
    r"""Spread of the angles, :math:`Std_{c<c'} \cos(m_c, m_{c'})`, 0 .. 1, of rows (C, d) less their mean.

    As `binenc.metrics.neural_collapse` (Papyan et al. 2020), but for the mean, which is there that of all
    points: here rows that form a simplex have 0, however large their classes are. Rows of random directions
    have about :math:`1/\sqrt d`. NaN of fewer than three rows, which have one angle at most, or if one lies
    at the mean.
    """
    if len(rows) < 3:
        return np.nan
    centred = rows - rows.mean(0)
    return float(cosines(centred).std()) if centred.any(axis=1).all() else np.nan


def cosines(rows: np.ndarray) -> np.ndarray:
    """Of each two of the rows (C, d), none of which is 0."""
    return 1 - pdist(rows, "cosine")


def simplex(count: np.ndarray) -> dict[str, float]:
    """What `binenc.metrics.neural_collapse` has at a simplex, with classes of so many points (C,).

    They are 0 of equally large classes; else the mean of all points lies nearer to the larger ones.
    """
    rows = np.eye(len(count)) - count / count.sum()
    length, cosine = np.linalg.norm(rows, axis=1), cosines(rows)
    return {
        "equinorm": length.std() / length.mean(),
        "equiangularity": cosine.std(),
        "max_angle": np.abs(cosine + 1 / (len(count) - 1)).mean(),
    }


def off_vertices(means: np.ndarray, book: np.ndarray) -> float:
    r"""Distance of class means (C, d) from the vertices of a hypercube that the codes (C, d) name.

    In each dimension the classes whose bit is 1 and those whose bit is 0 have a mean each: the two values of
    the hypercube. This is the root mean square distance of the class means from their value, in units of that
    of the values from their midpoint, at least 0; at 1 they are as far from it as the midpoint is. Dimensions
    in which all classes have the same bit have no two values and are left out; NaN if all are.
    """
    off, half = _of_two_values(means, book)
    return float(np.sqrt(np.square(off).mean() / np.square(half).mean())) if half.size else np.nan


def within_classes(means: np.ndarray, book: np.ndarray, trace: float) -> float:
    r"""How far points are from their class mean, in the unit of `off_vertices`: :math:`\sqrt{Tr(S_W) / d}`.

    A root mean square, at least 0, of class means and codes (C, d) and the trace of :math:`S_W`; NaN if all
    classes have the same bits.
    """
    _, half = _of_two_values(means, book)
    return float(np.sqrt(trace / means.shape[1] / np.square(half).mean())) if half.size else np.nan


def _of_two_values(means: np.ndarray, book: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Class means less their value, and half the distance between the two values of each dimension."""
    split = book.any(0) & ~book.all(0)
    means, book = means[:, split], book[:, split]
    high, low = (np.where(bit, means, 0).sum(0) / bit.sum(0) for bit in (book, ~book))
    return means - np.where(book, high, low), (high - low) / 2


def rotated_off_vertices(means: np.ndarray, rotations: int = 20) -> float:
    """`off_vertices` of class means (C, d) after a random rotation, mean over several; codes are their signs.

    That of class means whose place has nothing to do with the axes; always the same rotations.
    """
    place, size, axes = np.linalg.svd(means.astype(float), full_matrices=False)
    draw, found = np.random.default_rng(0), []
    for _ in range(rotations):
        drawn = draw.normal(size=axes.shape)
        length, basis = np.linalg.eigh(drawn @ drawn.T)
        orthonormal = basis / np.sqrt(length) @ basis.T @ drawn
        turned = place * size @ orthonormal  # their span, turned into another
        found.append(off_vertices(turned, turned > 0))
    return float(np.mean(found))
