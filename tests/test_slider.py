"""The interactive figure: one frame an epoch, the last one seen without a script, nothing fetched."""

import re
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from binenc.figures import slider
from binenc.records import Record


def record(architecture="binary_encoding", d=20, epochs=(0, 5, 10), n_classes=10) -> Record:
    rng = np.random.default_rng(0)
    arrays = {
        "epoch": np.array(epochs),
        "sample_latents": rng.normal(size=(len(epochs), 200, d)).astype(np.float16),
        "codebook": rng.random((len(epochs), n_classes, d)) > 0.5,
    }
    run = {
        "id": f"a/b,c=1/{architecture}/seed-0",
        "configuration": {"architecture": architecture, "seed": 0},
        "classes": ["T-shirt/top & <co>", *map(str, range(1, n_classes))],
    }
    return Record(run, pd.DataFrame(), arrays)


def tree(html: str) -> ElementTree.Element:
    """The markup without style and script, which is well-formed but for the empty elements."""
    markup = re.sub(r"<(style|script)>.*?</\1>", "", html, flags=re.S).replace("<label hidden>", "<label>")
    return ElementTree.fromstring(
        re.sub(r"(<input[^>]*)>", r"\1/>", markup).replace(" hidden>", ' hidden="">')
    )


def test_a_frame_an_epoch_and_the_last_is_seen():
    root = tree(slider.html(record(), record("linear_penultimate")))
    frames = [e for e in root.iter("div") if "data-epoch" in e.attrib]
    assert [f.get("data-epoch") for f in frames] == ["0", "5", "10"]
    assert ["hidden" in f.attrib for f in frames] == [True, True, False]
    assert all(len(list(f.iter("svg"))) == 2 for f in frames)
    for svg in root.iter("svg"):
        assert svg.get("role") == "img"
        assert "histograms of 16 latents" in svg.get("aria-label")


def test_nothing_is_fetched_and_the_control_has_a_name():
    html = slider.html(record())
    assert not re.search(r"https?:|src=|url\(|@import", html)
    assert 'type="range"' in html
    assert 'aria-label="Epoch"' in html
    assert len(html) < 100_000


@pytest.mark.parametrize("d", [1, 8, 2048])
def test_any_number_of_latents(d):
    html = slider.html(record(d=d))
    assert len(next(tree(html).iter("svg")).findall("g")) == min(d, 16)
    assert f"{min(d, 16)} of {d} latents" in html
    assert f"{min(d, 64)} of {d} bits" in html


def outline(path: str) -> dict[int, int]:
    """Height of a histogram's path at each bar's left edge."""
    x, y = (int(n) for n in re.match(r"M(\d+) (\d+)", path).groups())
    heights = {}
    for way, step in re.findall(r"([vh])(-?\d+)", path):
        if way == "h":
            heights[x] = slider.HIGH - y
            x += int(step)
        else:
            y += int(step)
    return heights


def test_bars_hold_every_value_on_its_side():
    drawn = ElementTree.fromstring(f"<g>{slider.bars(np.array([-0.9, -0.9, 0.0, 0.1]), 1.0)}</g>")
    off, on = (next(p.get("d") for p in drawn if p.get("class") == key) for key in ("off", "on"))
    step, half = slider.WIDE // slider.BINS, slider.WIDE // 2
    assert {x: h for x, h in outline(off).items() if h} == {
        step: slider.HIGH - 2,
        half - step: (slider.HIGH - 2) // 2,  # the zero, whose bit is 0
    }
    assert {x: h for x, h in outline(on).items() if h} == {half + step: (slider.HIGH - 2) // 2}
    assert max(outline(on)) == slider.WIDE - step


def test_a_stroke_a_bit():
    code = np.array([[True, False, True]])
    drawn = ElementTree.fromstring(f"<g>{slider.book(code, ['a'], 120, 0)}</g>")
    strokes = {p.get("class"): re.findall(r"M(\d+)", p.get("d")) for p in drawn.iter("path")}
    assert strokes == {"on bit": ["60", "100"], "off bit": ["80"]}


def test_a_frame_is_of_its_epoch():
    shown = record(d=4)
    for t in range(3):
        shown.arrays["sample_latents"][t] = t + 1
        shown.arrays["codebook"][t] = np.arange(4) <= t
    frames = [ElementTree.fromstring(slider.frame(shown, t)) for t in range(3)]
    said = " ".join(f.find("svg").get("aria-label") for f in frames)
    assert re.findall(r"after epoch (\d+): .*? to (\d),", said) == [("0", "1"), ("5", "2"), ("10", "3")]
    on = [[p.get("d").count("M") for p in f.iter("path") if p.get("class") == "on bit"] for f in frames]
    assert on == [[1] * 10, [2] * 10, [3] * 10]


def test_latents_that_are_all_zero_are_drawn():
    dead = record()
    dead.arrays["sample_latents"][:] = 0
    dead.arrays["codebook"][:] = False
    tree(slider.html(dead))
