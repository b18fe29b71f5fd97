"""Binary encoding (Fig. 2 of the paper): do points of a class share a code, how far apart are codes?"""

import torch
import torch.nn.functional as F
from torch import Tensor

from binenc.metrics.by_class import blocks, check_points


def codes(latents: Tensor) -> Tensor:
    r"""Code of each point, :math:`b_{ik} = 1` if :math:`x_{ik} > 0`, else 0 (Section 3), eight to a byte.

    Parameters
    ----------
    latents : Tensor of shape (N, d)

    Returns
    -------
    uint8 Tensor of shape (N, ceil(d/8)). With w bytes a row, bit j of byte k is dimension j w + k: whole
    slabs of w neighbouring dimensions then move together, and packing costs little more than reading.
    """
    n, d = latents.shape
    width = -(-d // 8)
    packed = torch.zeros(n, width, dtype=torch.uint8, device=latents.device)
    for rows in blocks(latents):
        bits = (latents[rows] > 0).view(torch.uint8)
        for j, slab in enumerate(bits.split(width, dim=1)):
            packed[rows, : slab.shape[1]].add_(slab, alpha=2**j)
    return packed


def unpack(packed: Tensor, d: int) -> Tensor:
    """Undo `codes`: uint8 (n, ceil(d/8)) to bool (n, d)."""
    return torch.cat([packed >> j & 1 for j in range(8)], dim=1)[:, :d].bool()


def distinct_rows(packed: Tensor) -> tuple[Tensor, Tensor]:
    """The distinct rows of uint8 (n, w), ascending, and which of them each row is, integers of shape (n,).

    As ``torch.unique(dim=0)``, whose merge sort has a race on Hopper GPUs under CUDA 13.0 (NVIDIA/cccl, pull
    request 5456). Sorted are numbers: of what the columns before tell apart, and as many columns as fit.
    """
    columns, row, n = list(packed.T.contiguous()), packed.new_zeros(len(packed), dtype=torch.int64), 1
    while columns and n < len(packed):
        fit = (63 - n.bit_length()) // 8
        for column in columns[:fit]:
            row = (row << 8).add_(column)
        columns = columns[fit:]
        numbers, row = torch.unique(row, return_inverse=True)
        n = len(numbers)
    first = row.new_empty(n).scatter_(0, row, torch.arange(len(row), device=row.device))
    return packed[first], row


def code_table(latents: Tensor, classes: Tensor, n_classes: int) -> tuple[Tensor, Tensor]:
    """Points of each class with each distinct code, and the codebook: each class's most common whole code.

    Parameters
    ----------
    latents : Tensor of shape (N, d)
    classes : integer Tensor of shape (N,), in 0 .. C-1
    n_classes : C

    Returns
    -------
    table : integer Tensor of shape (C, codes), the codes in the order of `codes`
    book : bool Tensor of shape (C, d), of equally common codes the first; all False for a class without a
        point (its count says so)

    Raises
    ------
    ValueError : on bad shapes or classes.
    """
    check_points(latents, classes, n_classes)
    distinct, code = distinct_rows(codes(latents))
    cells = n_classes * len(distinct)
    table = torch.bincount(classes.long() * len(distinct) + code, minlength=cells).view(n_classes, -1)
    book = unpack(distinct[table.argmax(dim=1)], latents.shape[1])
    return table, book & (table.sum(dim=1) > 0)[:, None]


def code_share(table: Tensor) -> Tensor:
    """Share of the points of each class that have its most common whole code.

    Parameters
    ----------
    table : integer Tensor of shape (C, codes), of `code_table`

    Returns
    -------
    float64 Tensor of shape (C,), above 0 and at most 1; NaN, not defined, for a class without a point.
    """
    return table.amax(dim=1).double() / table.sum(dim=1)


def encoding(latents: Tensor, classes: Tensor, n_classes: int, labels: Tensor) -> dict[str, float]:
    r"""How far the points of a class share one code (Fig. 2), and what the codes alone tell.

    With :math:`f_{ck}` the share of class c that is positive in dimension k, and :math:`r_c` the codebook,

    - ``code_share`` mean over classes of the share of points with the code :math:`r_c`, in 0 .. 1
    - ``bit_agreement`` mean over classes and dimensions of :math:`\max(f_{ck}, 1 - f_{ck})`, in 1/2 .. 1
    - ``codes_in_use`` distinct codes of all points, ``codes_per_class`` of the points of a class on average
    - ``distinct_codebook_rows`` distinct codes among the :math:`r_c`, 1 .. C
    - ``hamming_mean``, ``hamming_min`` over pairs of classes of the distance of :math:`r_c, r_{c'}`, 0 .. d
    - ``codebook_accuracy`` share of points whose label is the class with the nearest :math:`r_c`, in 0 .. 1;
      of equally near classes the lowest counts

    A class without a point is left out of everything and never chosen; with a single class left there is no
    pair, and the distances are 0, the worst value.

    Parameters
    ----------
    latents : Tensor of shape (N, d)
    classes : integer Tensor of shape (N,), the class each point counts to, in 0 .. C-1
    n_classes : C
    labels : integer Tensor of shape (N,), for ``codebook_accuracy`` alone

    Raises
    ------
    ValueError : on bad shapes or classes.
    """
    table, book = code_table(latents, classes, n_classes)
    check_points(latents, labels, n_classes)
    count = table.sum(dim=1)
    filled = count > 0

    # Zeros and ones: sums in float32 are exact up to 2^24 points or dimensions.
    member = F.one_hot(classes.long(), n_classes).float()
    weights = 1 - 2 * book.float()
    # |b - r|^2 = sum_k b_k (1 - 2 r_k) + sum_k r_k
    offset = torch.where(filled, book.sum(dim=1).float(), torch.inf)
    positive, correct = count.new_zeros(book.shape, dtype=torch.float64), count.new_zeros(())
    for rows in blocks(latents):
        bits = (latents[rows] > 0).float()
        positive += member[rows].T @ bits
        correct += ((bits @ weights.T + offset).argmin(dim=1) == labels[rows]).sum()

    f = (positive / count[:, None])[filled]
    known = book[filled]
    i, j = torch.triu_indices(len(known), len(known), offset=1, device=book.device)
    distance = (known[i] != known[j]).sum(dim=1).double() if len(i) else f.new_zeros(1)
    values = {
        "code_share": code_share(table)[filled].mean(),
        "bit_agreement": torch.maximum(f, 1 - f).mean(),
        "codes_in_use": f.new_tensor(table.shape[1]),
        "codes_per_class": (table > 0).sum(dim=1)[filled].double().mean(),
        "distinct_codebook_rows": f.new_tensor(len(table.argmax(dim=1)[filled].unique())),
        "hamming_mean": distance.mean(),
        "hamming_min": distance.min(),
        "codebook_accuracy": correct.double() / len(latents),
    }
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))
