"""An interactive figure in one piece of HTML: latents and codebook of one or more runs, a slider over epochs.

Every frame is drawn here, in Python, as inline SVG; the script only chooses which one is seen.
Without JavaScript the last epoch is there. Nothing is fetched.
"""

from html import escape

import numpy as np
from IPython.display import display

from binenc.figures.latents import evenly, histogram, shortly
from binenc.figures.style import COLOURS
from binenc.profile import ARCHITECTURES
from binenc.records import Record

SHOWN, ACROSS, BINS, BITS = 16, 4, 24, 64
"""Histograms shown of a run, histograms a row, bars a histogram, bits shown of a code."""
WIDE, HIGH, GAP = 72, 34, 6
"""Of one histogram, in SVG units."""

STYLE = """<style>
.slider figure{margin:0} .slider svg{width:100%;height:auto;max-width:26rem;font:9px sans-serif}
.slider .runs{display:flex;flex-wrap:wrap;gap:1rem} .slider .runs>div{flex:1 1 17rem;min-width:0}
.slider .off{fill:#8c8c8c;stroke:#8c8c8c} .slider .on{fill:var(--on);stroke:var(--on)}
.slider path{stroke-width:0} .slider .bit{stroke-width:9} .slider text{fill:currentColor}
.slider .axis{stroke:currentColor;stroke-width:.5;opacity:.6;fill:none}
.slider label{display:flex;gap:.8rem;align-items:center;margin:.4rem 0} .slider input{flex:1;max-width:26rem}
.slider [hidden]{display:none!important} .slider output{min-width:5rem}
</style>"""

SCRIPT = """<script>(() => {
  const box = document.getElementById("ID"), input = box.querySelector("input");
  const said = box.querySelector("output");
  const frames = [...box.querySelectorAll("[data-epoch]")];
  const show = () => {
    frames.forEach((frame, i) => { frame.hidden = i != input.value; });
    input.setAttribute("aria-valuetext", said.value = "epoch " + frames[input.value].dataset.epoch);
  };
  input.addEventListener("input", show);
  input.closest("label").hidden = false;
  show();
})();</script>"""


def bars(values: np.ndarray, reach: float) -> str:
    """SVG of a histogram of ``values`` (n,) from -reach to reach: grey where the bit is 0, else in colour."""
    counts = histogram(values, BINS, reach)
    heights = np.ceil(counts / max(counts.max(), 1) * (HIGH - 2)).astype(int)
    step, drawn = WIDE // BINS, []
    for key, side in (("off", slice(None, BINS // 2)), ("on", slice(BINS // 2, None))):
        path, before = f"M{WIDE // 2 * (key == 'on')} {HIGH}", 0
        for h in heights[side]:
            path += (f"v{before - h}" if h != before else "") + f"h{step}"
            before = h
        drawn.append(f'<path class="{key}" d="{path}V{HIGH}z"/>' if heights[side].any() else "")
    return f'{"".join(drawn)}<path class="axis" d="M0 {HIGH}H{WIDE}M{WIDE // 2} {HIGH}v-{HIGH}"/>'


def book(codebook: np.ndarray, classes: list[str], width: int, top: int) -> str:
    """SVG of a codebook (C, d), a row a class, a stroke a bit."""
    left, cell = 60, (width - 60) / codebook.shape[1]
    wide, rows = f"h{max(1, cell * 0.88):.3g}", []
    for c, code in enumerate(codebook):
        y, name = top + 11 * c + 4, escape(str(classes[c])[:11])
        rows.append(f'<text x="{left - 4}" y="{y + 4}" text-anchor="end">{name}</text>')
        for key, chosen in (("on", code), ("off", ~code)):
            bits = "".join(f"M{left + cell * k:.4g} {y}{wide}" for k in np.nonzero(chosen)[0])
            rows.append(f'<path class="{key} bit" d="{bits}"/>' if bits else "")
    return "".join(rows)


def frame(record: Record, t: int) -> str:
    """One run after one epoch: title, histograms of some latents, codebook."""
    a = record.arrays
    latents, codebook = a["sample_latents"][t].astype(float), a["codebook"][t].astype(bool)
    latents, d = latents[:, evenly(latents.shape[1], SHOWN)], codebook.shape[1]
    bits = evenly(d, BITS)
    reach = float(np.abs(latents).max()) or 1.0
    cells, end = [], shortly(reach)
    for k, values in enumerate(latents.T):
        x, y = (WIDE + GAP) * (k % ACROSS), (HIGH + GAP) * (k // ACROSS)
        cells.append(f'<g transform="translate({x} {y})">{bars(values, reach)}</g>')
    width, top = ACROSS * (WIDE + GAP), (HIGH + GAP) * -(-len(cells) // ACROSS) + 14
    architecture, seed = (record.run["configuration"][key] for key in ("architecture", "seed"))
    name = ARCHITECTURES[architecture]
    said = (
        f"{name} after epoch {int(a['epoch'][t])}: histograms of {len(cells)} latents from −{end} to "
        f"{end}, and the codes of {len(codebook)} classes, {len(np.unique(codebook, axis=0))} distinct."
    )
    return (
        f'<div style="--on:{COLOURS[architecture]}"><strong>{name}</strong> '
        f"<small>seed {seed}, {len(cells)} of {d} latents from −{end} to {end}</small>"
        f'<svg viewBox="0 0 {width} {top + 11 * len(codebook)}" role="img" aria-label="{escape(said)}">'
        f'{"".join(cells)}<text x="0" y="{top - 4}">codebook: a row a class, {len(bits)} of {d} bits</text>'
        f"{book(codebook[:, bits], record.run['classes'], width, top)}</svg></div>"
    )


def html(*records: Record) -> str:
    """The figure for runs of equal epochs, side by side."""
    epochs = [int(e) for e in records[0].arrays["epoch"]]
    key = "slider-" + "-".join(r.run["id"] for r in records).translate(str.maketrans("/,=._", "-----"))
    last, n = len(epochs) - 1, records[0].arrays["sample_latents"].shape[1]
    frames = "".join(
        f'<div class="runs" data-epoch="{epoch}"{"" if t == last else " hidden"}>'
        f"{''.join(frame(r, t) for r in records)}</div>"
        for t, epoch in enumerate(epochs)
    )
    return (
        f'{STYLE}<div class="slider" id="{key}"><label hidden>Epoch '
        f'<input type="range" min="0" max="{last}" value="{last}" step="1" aria-label="Epoch">'
        f"<output>epoch {epochs[last]}</output></label><figure>{frames}<figcaption><small>Latents of {n} "
        "test points, one histogram per dimension, in a range that differs by epoch, and the codebook, the "
        "most common code of each class (coloured: positive, bit 1; grey: zero or negative, bit 0), "
        f"after epoch {epochs[last]} or the one chosen above.</small></figcaption></figure></div>"
        + SCRIPT.replace("ID", key)
    )


def show(*records: Record) -> None:
    """Display the figure in a notebook."""
    text = "Interactive figure: latents and codebook, a slider over epochs."
    display({"text/html": html(*records), "text/plain": text}, raw=True)
