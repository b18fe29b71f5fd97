"""What a reader with five minutes is told beside the verdicts, on the front page and in the README."""

from binenc.claims.pages import elsewhere, findings
from binenc.claims.verdict import Verdict
from binenc.study import Study
from binenc.text.hypercube import beyond
from binenc.text.prose import protocols_apart


def numbers(found: Study, changed: Study, judged: list[Verdict], link: str = "") -> str:
    """The findings of the first profile, and what no claim asks, as Markdown items.

    ``changed`` is the same study with experiments of which a field was changed; ``link`` is where a claim's
    number leads, such as ``#claim-{number}``.
    """
    first = next(iter(found.profiles))
    items = (
        findings(judged, link),
        elsewhere(judged, first=True, link=link),
        protocols_apart(found, first),
        beyond(changed),
    )
    return "\n".join(filter(None, items))
