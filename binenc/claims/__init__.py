"""The paper's claims, the verdict on each, and how a reader sees them."""

from binenc.claims.judging import judge, to_frame
from binenc.claims.pages import (
    answer,
    summary,
    table_html,
    table_markdown,
    tally,
)

__all__ = [
    "answer",
    "judge",
    "summary",
    "table_html",
    "table_markdown",
    "tally",
    "to_frame",
]
