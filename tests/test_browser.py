"""The report in a real browser, from a file, without a network: `make test-browser`.

``BINENC_REPORT`` names a built report (without it the smoke profile is built in a copy), ``AXE`` the file
axe.min.js of npm's axe-core, ``CHROMIUM`` the browser.
"""

import os
import shutil
from pathlib import Path

import pytest
from copying import copy_repository, sh

from binenc.profile import ROOT

pytestmark = [pytest.mark.browser, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
sync_api = pytest.importorskip("playwright.sync_api", reason="pip install playwright")

OPTIONS = (
    "--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync --allow-file-access-from-files"
)
SIZES = {"wide": (1280, 900), "phone": (390, 844)}
CHAPTERS = [
    "intro",
    "claims",
    "data",
    "architectures",
    "binarity",
    "encoding",
    "accuracy",
    "neural_collapse",
    "protocols",
    "tinker",
    "speed",
    "status",
    "cite",
    "references",
]


@pytest.fixture(scope="session")
def report(tmp_path_factory) -> Path:
    """Folder of a built report."""
    if os.environ.get("BINENC_REPORT"):
        return Path(os.environ["BINENC_REPORT"]).resolve()
    copy = copy_repository(tmp_path_factory.mktemp("browser") / "binenc")
    sh(copy, "make book PROFILE=smoke", BINENC_DEVICE="cpu")
    return copy / "_build/html"


@pytest.fixture(scope="session")
def browser():
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_api.sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=chromium, args=OPTIONS.split())
        except sync_api.Error as error:
            pytest.skip(f"no chromium starts: {str(error).splitlines()[0]}")
        yield started
        started.close()


@pytest.fixture(params=SIZES)
def size(request) -> tuple[int, int]:
    return SIZES[request.param]


@pytest.fixture
def visit(report, browser):
    """Open a page of the report; in the end no request went anywhere and no script failed."""
    contexts, requests, errors = [], [], []

    def failed(request):
        if "ABORTED" not in request.failure and request.failure != "csp":  # left the page; scripts are off
            errors.append(f"{request.url}: {request.failure}")

    def visit(name: str, size=(1280, 900), colours: str = "light", scripts: bool = True):
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]}, color_scheme=colours, java_script_enabled=scripts
        )
        contexts.append(context)
        context.set_default_timeout(60_000)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("requestfailed", failed)
        page.goto((report / name).as_uri(), wait_until="load")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    assert errors == []


def runs(report: Path) -> list[str]:
    return sorted(
        str(p.relative_to(report)) for p in (report / "book/runs").rglob("*.html") if p.name != "index.html"
    )


def of_each_type(report: Path) -> list[str]:
    """One page of each type."""
    pages = [f"book/{name}.html" for name in CHAPTERS]
    group = next((report / "book/runs").rglob("*/index.html")).relative_to(report)
    return [*pages, "book/runs/index.html", str(group), runs(report)[0], "search.html"]


def test_index_leads_to_the_landing_page(visit):
    page = visit("index.html")
    page.wait_for_url("**/book/intro.html")
    assert "binary encoding" in page.locator("article h1").inner_text().lower()


def test_landing_page_answers(visit, size):
    page = visit("book/intro.html", size)
    words = page.locator(".verdicts td").all_inner_texts()
    assert words
    assert all(any(w in word for w in ("reproduced", "undecided", "lacks records")) for word in words)
    assert page.locator(".bd-header-announcement").inner_text().strip()
    page.locator(".verdicts th a").first.click()
    page.wait_for_url("**/claims.html#claim-1")
    assert page.locator("#claim-1").count() == 1


def test_every_page_has_its_banner_title_and_provenance(visit, report):
    page = visit("book/intro.html")
    for name in [f"book/{c}.html" for c in CHAPTERS] + runs(report)[:3]:
        page.goto((report / name).as_uri())
        assert page.locator(".bd-header-announcement").inner_text().strip(), name
        assert page.locator("article h1").count() == 1, name
        assert "commit" in page.locator(".provenance").inner_text(), name
        if "/runs/" in name or (ROOT / name).with_suffix(".ipynb").exists():
            assert page.locator(".provenance a.download").count() == 2, name


def test_no_page_is_wider_than_the_window(visit, report, size):
    page = visit("book/intro.html", size)
    for name in of_each_type(report):
        page.goto((report / name).as_uri())
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= size[0] + 1, name


def test_a_wide_figure_scrolls_on_a_phone_and_its_caption_stays(visit):
    figure = visit("book/claims.html", SIZES["phone"]).locator("figure.wide").first
    seen, whole = figure.evaluate("e => [e.clientWidth, e.scrollWidth]")
    assert seen <= SIZES["phone"][0] < whole
    before = figure.locator("figcaption").bounding_box()
    figure.evaluate("e => e.scrollLeft = 100")
    assert figure.locator("figcaption").bounding_box() == before
    assert before["width"] <= seen


def test_images_are_there_and_described(visit, report):
    page = visit("book/intro.html")
    for name in of_each_type(report):
        page.goto((report / name).as_uri())
        page.locator("details.fold").evaluate_all("folds => folds.forEach((fold) => { fold.open = true; })")
        for image in page.locator("article img").all():
            image.scroll_into_view_if_needed()
            assert image.evaluate("i => i.decode().then(() => i.naturalWidth)") > 0, name
            assert len(image.get_attribute("alt") or "") > 10, name


def test_a_folded_figure_is_seen_on_a_click_by_a_link_to_it_and_on_paper(visit):
    page = visit("book/encoding.html")
    fold = page.locator("details.fold").first
    figure = fold.locator("figure")
    in_sight = "figure => figure.checkVisibility({contentVisibilityAuto: true})"
    assert not figure.evaluate(in_sight)
    fold.locator("summary").click()
    assert figure.evaluate(in_sight)
    fold.locator("summary").click()
    assert not figure.evaluate(in_sight)
    page.emulate_media(media="print")
    assert figure.evaluate(in_sight)
    page.emulate_media(media="screen")
    page.goto(f"{page.url}#{figure.get_attribute('id')}")
    assert figure.evaluate(in_sight)


def test_mathematics_is_rendered_without_a_network(visit, report):
    page = visit("book/intro.html")
    page.wait_for_selector("mjx-container svg")
    assert page.locator("mjx-merror").count() == 0
    assert page.locator("[data-mml-node=merror]").count() == 0


def test_search_finds_from_a_file(visit):
    page = visit("search.html")
    page.goto(f"{page.url}?q=neural+collapse")
    page.wait_for_selector("#search-results li a")
    found = [link.get_attribute("href") for link in page.locator("#search-results li a").all()]
    assert any("neural_collapse.html" in link for link in found)
    assert not any("seed-" in link for link in found)


@pytest.mark.parametrize("where", ["landing", "run"])
def test_slider_moves_with_the_keyboard(visit, report, where):
    page = visit("book/intro.html" if where == "landing" else runs(report)[0])
    slider = page.get_by_role("slider", name="Epoch").first
    slider.focus()
    box = page.locator(".slider").first
    last = box.locator("output").inner_text()
    page.keyboard.press("ArrowLeft")
    assert box.locator("output").inner_text() != last
    assert slider.get_attribute("aria-valuetext") == box.locator("output").inner_text()
    assert box.locator("[data-epoch]:visible").count() == 1
    page.keyboard.press("End")
    assert box.locator("output").inner_text() == last


def test_without_javascript_figures_and_tables_are_there(visit, report):
    page = visit("book/intro.html", scripts=False)
    assert page.locator(".slider [data-epoch]:visible").count() == 1
    assert page.get_by_role("slider").count() == 0
    page.goto((report / "book/runs/index.html").as_uri())
    assert page.locator("table tbody tr").count() == len(runs(report))


def test_table_of_runs_sorts_with_the_keyboard_and_links_every_run(visit, report):
    page = visit("book/runs/index.html")
    rows = page.locator("table.sortable tbody tr")
    assert rows.count() == len(runs(report))
    header = page.locator("table.sortable th", has_text="Test accuracy")
    column = header.evaluate("h => h.cellIndex")
    header.get_by_role("button").focus()
    for key, direction in (("Enter", "ascending"), ("Enter", "descending")):
        page.keyboard.press(key)
        assert header.get_attribute("aria-sort") == direction
        values = [float(row.locator("td").nth(column).inner_text()) for row in rows.all()]
        assert values == sorted(values, reverse=direction == "descending")
    rows.first.locator("a").click()
    assert "seed" in page.locator("article h1").inner_text()


def test_code_is_behind_a_toggle_in_chapters_and_open_in_runs(visit, report):
    page = visit("book/binarity.html")
    toggle = page.locator("article details").first
    code = toggle.locator("pre").first
    assert not code.is_visible()
    toggle.locator("summary").click()
    assert code.is_visible()
    page.goto((report / runs(report)[0]).as_uri())
    assert page.locator("article .cell_input pre").first.is_visible()


@pytest.mark.parametrize("colours", ["light", "dark"])
def test_axe_finds_nothing_serious(visit, report, size, colours):
    axe = os.environ.get("AXE")
    if not axe:
        pytest.skip(
            "AXE: npm install --prefix /tmp/axe axe-core; AXE=/tmp/axe/node_modules/axe-core/axe.min.js"
        )
    page = visit("book/intro.html", size, colours)
    found = []
    for name in of_each_type(report):
        page.goto((report / name).as_uri())
        page.add_script_tag(path=axe)
        for broken in page.evaluate("axe.run().then(r => r.violations)"):
            if broken["impact"] in ("serious", "critical"):
                nodes = [f"{node['target']} {node['html'][:200]}" for node in broken["nodes"][:4]]
                found.append("\n  ".join([f"{name}: {broken['id']}, {broken['help']}", *nodes]))
    assert not found, "\n".join(found)
