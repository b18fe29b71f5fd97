"""The files of a figure or a table, and what makes figures alike."""

import os
import re
import xml.etree.ElementTree as ET

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from drawn import options, save_all

from binenc import figures, study
from binenc.figures import style
from binenc.profile import ARCHITECTURES, PROFILES, Profile
from binenc.text import classes


class TestShow:
    @pytest.fixture
    def figure(self):
        figure, ax = plt.subplots(figsize=(5, 4))
        ax.plot([0, 1 / 3, 1], [0, 1 / 7, 1])
        ax.set_title("0.123456 is a number")
        return figure

    def test_files_and_bundle(self, figure, shown, tmp_path):
        numbers = pd.DataFrame({"a": [1 / 3, 1e-9], "b": [1, 2]})
        alt = 'It says: "a" # and {b} \\ more'
        style.show(figure, "some-name", "A caption, with <angles>.", alt, numbers)
        folder = tmp_path / "figures"
        assert {path.name for path in folder.iterdir()} == {
            f"some-name.{end}" for end in ("svg", "pdf", "csv")
        }
        assert (folder / "some-name.pdf").read_bytes().startswith(b"%PDF")
        assert pd.read_csv(folder / "some-name.csv").a.tolist() == pytest.approx([1 / 3, 1e-9], rel=1e-5)
        (bundle,) = shown
        assert bundle["text/markdown"].startswith("```{figure} /figures/some-name.svg\n")
        assert options(bundle) == {"name": "fig-some-name", "alt": alt}
        for end in ("SVG", "PDF", "CSV"):
            assert f"{{download}}`{end} </figures/some-name.{end.lower()}>`" in bundle["text/markdown"]
        assert "<angles>" not in bundle["text/html"]
        assert ET.fromstring(re.search(r"<svg.*</svg>", bundle["text/html"], re.S)[0]).tag.endswith("svg")

    def test_a_figure_may_be_folded_in_the_book(self, figure, shown):
        style.show(figure, "some-name", "A caption.", "", pd.DataFrame())
        style.show(figure, "some-name", "A caption.", "", pd.DataFrame(), "Of another profile")
        plain, folded = (bundle["text/markdown"] for bundle in shown)
        assert folded == f"::::{{dropdown}} Of another profile\n:class-container: fold\n\n{plain}\n::::"
        assert shown[0]["text/html"] == shown[1]["text/html"]

    @pytest.mark.parametrize(("panels", "expected"), [(1, None), (2, None), (3, "wide")])
    def test_a_figure_too_wide_for_a_phone_says_so(self, figure, shown, tmp_path, panels, expected):
        figure.set_figwidth(panels * style.PANEL)
        style.show(figure, "some-name", "", "", pd.DataFrame())
        assert options(shown[0]).get("figclass") == expected

    def test_a_pdf_stays_until_its_picture_is_another_or_it_is_cut(self, figure, tmp_path):
        def save(title: str = "a") -> bytes:
            figure.axes[0].set_title(title)
            style.save_pictures(figure, tmp_path / "some")
            return pdf.read_bytes()

        pdf = tmp_path / "some.pdf"
        first = save()
        os.utime(pdf, (1, 1))
        assert save() == first
        assert pdf.stat().st_mtime == 1
        pdf.write_bytes(first[:-70])
        assert save() == first
        assert save("b") != first

    def test_text_stays_text_and_is_not_rounded(self, figure, shown, tmp_path):
        style.show(figure, "text", "", "", pd.DataFrame())
        svg = (tmp_path / "figures/text.svg").read_text()
        assert ">0.123456 is a number</text>" in svg
        drawing = ET.fromstring(svg)
        paths = [e.get("d") for e in drawing.iter("{http://www.w3.org/2000/svg}path") if e.get("d")]
        assert max(len(part) for d in paths for part in re.findall(r"\.(\d+)", d)) <= 1
        assert "<image" not in svg

    def test_drawn_twice_it_is_the_same_file(self, made, shown, tmp_path):
        found = study.read(["smoke"])
        for _ in range(2):
            figures.curves(found, "again", [("accuracy", "train")], "See.")
        name = "again-smoke-as-written"
        first = (tmp_path / f"figures/{name}.svg").read_bytes()
        figures.curves(found, "again", [("accuracy", "train")], "See.")
        assert (tmp_path / f"figures/{name}.svg").read_bytes() == first

    def test_what_is_made_small_is_the_same_picture(self):
        drawn = (
            '<svg width="9">\n <defs>\n  <style type="text/css">*{stroke-linejoin: round; '
            'stroke-linecap: butt}</style>\n </defs>\n<!-- a note -->\n <g id="axes_1">\n'
            '  <path id="m1" d="M 1.23456 -7.8 \nL 0.001 2 \nz\n"/>\n'
            f' </g>\n <use xlink:href="#m1" x="9.87"/><text style="{style.FAMILY}color: red" '
            'transform="rotate(-0 9 9)">1.23456 of\n\na</text><g transform="scale(0.00125)"/></svg>'
        )
        assert style.small(drawn) == (
            f'<svg style="{style.FAMILY}{style.LINES}" width="9"><g><path id="m1" d="M1.2 -7.8L0.0 2z"/></g>'
            '<use xlink:href="#m1" x="9.8"/><text style="color: red">1.23456 of\n\na</text>'
            '<g transform="scale(0.00125)"/></svg>'
        )

    @pytest.mark.parametrize(
        ("path", "expected"),
        [
            ("M 1.26 2.0 \nL 3.0 2.0 \nL 3.0 4.49 \nL 5 6\nz", "M1.2 2.0H3.0V4.4L5 6z"),
            ("M 1 2 C 1 3 4 5 6 2 L 6 2", "M1 2C1 3 4 5 6 2L6 2"),
            ("M 1 2 L 1 2 M 1 9 L 4 9", "M1 2H1M1 9H4"),
        ],
    )
    def test_lines_along_an_axis_are_short(self, path, expected):
        assert style.short(path) == expected

    def test_every_word_of_a_figure_gives_its_font_to_the_figure(self, figure, shown, tmp_path):
        style.show(figure, "text", "", "", pd.DataFrame())
        assert (tmp_path / "figures/text.svg").read_text().count("font-family") == 1

    def test_no_figure_has_a_rule_for_the_page_that_shows_it(self, figure, shown, tmp_path):
        style.show(figure, "text", "", "", pd.DataFrame())
        assert "<style" not in (tmp_path / "figures/text.svg").read_text()

    def test_table(self, shown, tmp_path):
        frame = pd.DataFrame({"a|b": ["x|y", "z"], "n": [1, 2]})
        style.table(frame, "numbers", "Some numbers.")
        (bundle,) = shown
        assert ":name: tab-numbers" in bundle["text/markdown"]
        assert "| a\\|b | n |\n| --- | --- |\n| x\\|y | 1 |" in bundle["text/markdown"]
        assert pd.read_csv(tmp_path / "figures/numbers.csv").equals(frame)


def test_slugs_of_all_runs_differ():
    slugs = [
        style.slug(path.stem, run.id)
        for path in PROFILES.glob("*.yml")
        for run in Profile.read(path.stem).all_runs()
    ]
    assert len(set(slugs)) == len(slugs)
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) for slug in slugs)


def test_one_colour_and_one_dash_an_architecture():
    assert list(style.COLOURS) == list(style.DASHES) == list(ARCHITECTURES)
    assert len(set(style.COLOURS.values())) == len(set(map(str, style.DASHES.values()))) == len(ARCHITECTURES)


def test_a_long_slug_is_short_enough_for_a_file_and_no_other():
    words = [f"digits_mlp,{'gamma=1,' * 60}epochs={n}" for n in (1, 2)]
    first, second = map(style.slug, words)
    assert first != second
    assert max(len(first), len(second)) <= 200
    assert style.slug("a" * 200) == "a" * 200


def test_slugs_tell_numbers_apart():
    numbers = ("1", "0.1", "01", "1.0", "10", "1e-1", "1e1")
    assert len({style.slug(f"digits_mlp,gamma={x}") for x in numbers}) == len(numbers)
    assert style.slug("gamma=1e+1") == style.slug("gamma=1e1")


def test_what_no_page_asks_for_lies_apart_from_what_reports_take(tmp_path, monkeypatch):
    monkeypatch.delenv("BINENC_FIGURES", raising=False)
    monkeypatch.setattr(style, "ROOT", tmp_path)
    assert style.folder() == tmp_path / "_build/lab"


DRAWN = {
    "curves": lambda found: figures.curves(found, "c", [("accuracy", "train")], "See."),
    "ends": lambda found: figures.ends(found, "e", [("accuracy", "train")], "See."),
    "by_class": lambda found: figures.by_class(found, classes.classes_of(found), "k"),
    "codebooks": lambda found: figures.codebooks(found, "b"),
    "histograms": lambda found: figures.histograms(found, "h", "See."),
    "seen_histograms": lambda found: figures.seen_histograms(found, "s", "See."),
    "projection": lambda found: figures.projection(found, "p", "See."),
}
"""Figures of each case, or of all cases of a profile and protocol."""


@pytest.mark.parametrize("drawn", DRAWN)
def test_figures_of_the_first_profile_are_in_sight_and_those_of_others_folded(results, shown, drawn):
    names = "smoke", "quick"
    for profile in map(Profile.read, names):
        save_all(profile, [profile.run("digits_mlp", "as_written", "binary_encoding", 0)])
    DRAWN[drawn](study.read(list(names)))
    first, second = (bundle["text/markdown"] for bundle in shown)
    assert first.startswith("```{figure}")
    assert re.match(
        "::::{dropdown} .*Digits \\(MLP\\) \\(quick\\), as written · profile quick, trained", second
    )
