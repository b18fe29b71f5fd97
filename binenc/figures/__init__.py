"""One style, one colour an architecture, one function a figure; each is saved as SVG, PDF and CSV."""

from binenc.figures.classes import by_class
from binenc.figures.codes import codebooks, show_codebook
from binenc.figures.curves import curves, ends, run_curves
from binenc.figures.latents import histograms, projection, run_histograms, seen_histograms
from binenc.figures.networks import backbones, heads, loss_shape
from binenc.figures.style import slug, table

__all__ = [
    "backbones",
    "by_class",
    "codebooks",
    "curves",
    "ends",
    "heads",
    "histograms",
    "loss_shape",
    "projection",
    "run_curves",
    "run_histograms",
    "seen_histograms",
    "show_codebook",
    "slug",
    "table",
]
