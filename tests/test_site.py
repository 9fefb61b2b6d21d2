"""The built site in a real browser, headless Chromium: every page, wide and narrow, dark and light.

`python -m sphinx -W --keep-going docs docs/_build/html` builds it; SITE names another folder.
"""

import os
import re
import shutil
import tempfile
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import pytest

ROOT = Path(__file__).parents[1]
SITE = Path(os.environ.get("SITE", ROOT / "docs" / "_build" / "html"))
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")

WIDTHS = (400, 1400)
THEMES = ("light", "dark")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not (SITE / "index.html").exists(), reason="the site has not been built"),
    pytest.mark.skipif(not (CHROMIUM and DRIVER), reason="needs chromium and chromedriver"),
]

LOOK = """
const done = arguments[arguments.length - 1];
const images = [...document.images];
images.forEach(image => { image.loading = "eager"; });
Promise.all(images.map(image => image.decode().catch(() => null))).then(() => done({
    title: document.title,
    heading: document.querySelector("h1")?.innerText ?? "",
    ids: [...document.querySelectorAll("[id]")].map(element => element.id),
    links: [...document.querySelectorAll("a[href]")].map(link => link.href),
    missing: images.filter(image => image.naturalWidth === 0).map(image => image.src),
    loaded: performance.getEntriesByType("resource").map(entry => entry.name),
}));
"""

# How far the page reaches beyond the window, how well its text stands out (WCAG 2.2, 1.4.3), and
# which code and tables have to be scrolled.
MEASURE = """
const page = document.documentElement;
const channels = colour => colour.match(/[\\d.]+/g).slice(0, 3).map(value => {
    const share = value / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
});
const light = colour => {
    const [red, green, blue] = channels(colour);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
};
const text = document.querySelector("article p, article li, article h1");
const levels = [getComputedStyle(text).color, getComputedStyle(document.body).backgroundColor]
    .map(light).sort((a, b) => b - a);
return {
    excess: page.scrollWidth - page.clientWidth,
    contrast: (levels[0] + 0.05) / (levels[1] + 0.05),
    cut: [...document.querySelectorAll("article .highlight-python pre, article table")]
        .filter(element => element.scrollWidth > element.clientWidth + 1)
        .map(element => element.innerText.slice(0, 60)),
};
"""


class Quiet(SimpleHTTPRequestHandler):
    """A server that says nothing."""

    def log_message(self, *args):
        """Nothing."""


@pytest.fixture(scope="module")
def address():
    """Where the site is served, on this machine alone."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium, which asks nobody but the site for anything."""
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium drives the browser")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    with tempfile.TemporaryDirectory() as profile:
        for flag in (
            "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
            "disable-background-networking", "disable-component-update", "disable-sync",
            "disable-dev-shm-usage", f"user-data-dir={profile}",
        ):  # fmt: skip
            options.add_argument(f"--{flag}")
        service = webdriver.ChromeService(executable_path=DRIVER)
        driver = webdriver.Chrome(options=options, service=service)
        driver.set_script_timeout(30)
        yield driver
        driver.quit()


def resize(browser, width):
    """A window of this width: its own frame may not be as narrow."""
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def path_of(link):
    """A page's path from a link to it, without a query or a place in it."""
    path = unquote(urlsplit(link).path).lstrip("/")
    return f"{path}index.html" if path.endswith("/") or not path else path


@pytest.fixture(scope="module")
def pages(browser, address):
    """Path -> what the browser sees, of every page that links lead to from the first one."""
    seen, waiting = {}, ["index.html"]
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        resize(browser, WIDTHS[-1])
        browser.get(urljoin(address, path))
        page = browser.execute_async_script(LOOK)
        for theme in THEMES:
            browser.execute_script("document.documentElement.dataset.theme = arguments[0]", theme)
            for width in WIDTHS:
                resize(browser, width)
                page[theme, width] = browser.execute_script(MEASURE)
        seen[path] = page
        page["links"] = [link for link in page["links"] if link.startswith(address)]
        linked = {path_of(link) for link in page["links"]}
        waiting += [each for each in linked if each.endswith(".html") and (SITE / each).exists()]
    return seen


def test_every_page_is_reached_by_links(pages):
    built = {path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html")}
    made_by_sphinx = {
        path for path in built if Path(path).name in ("search.html", "sg_execution_times.html")
    }
    assert (
        built - made_by_sphinx - pages.keys() - {"genindex.html", "_static/webpack-macros.html"}
        == set()
    )
    assert len(pages) > 60


def test_every_page_has_a_title(pages):
    untitled = [p for p, page in pages.items() if not (page["title"] and page["heading"])]
    assert untitled == []


def test_no_internal_link_is_dead(pages):
    dead = []
    for path, page in pages.items():
        for link in page["links"]:
            target, place = path_of(link), unquote(urlsplit(link).fragment)
            ids = pages[target]["ids"] if place and target in pages else [place]
            if not (SITE / target).exists() or place not in ids:
                dead.append((path, link))
    assert dead == []


def test_no_picture_is_missing(pages):
    assert [(path, page["missing"]) for path, page in pages.items() if page["missing"]] == []


def test_examples_are_run_in_a_checkout_and_not_offered_as_single_files(pages):
    """They share a file and read data: alone they do not run."""
    examples = sorted((ROOT / "examples").glob("[!_]*.py"))
    for example in examples:
        page = (SITE / "gallery" / f"{example.stem}.html").read_text("utf-8")
        assert f"python examples/{example.name}" in re.sub("<[^>]*>", "", page)
    offered = [link for page in pages.values() for link in page["links"] if "_downloads" in link]
    assert offered == []


def test_nothing_is_loaded_from_elsewhere(pages, address):
    foreign = {
        (path, name)
        for path, page in pages.items()
        for name in page["loaded"]
        if not name.startswith((address, "data:", "blob:"))
    }
    assert foreign == set()


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_no_page_is_wider_than_the_window(pages, width, theme):
    wide = {
        path: page[theme, width]["excess"]
        for path, page in pages.items()
        if page[theme, width]["excess"] > 0
    }
    assert wide == {}


def test_code_and_tables_are_seen_whole_on_a_laptop(pages):
    cut = {path: found for path, page in pages.items() if (found := page["light", 1400]["cut"])}
    assert cut == {}


@pytest.mark.parametrize("theme", THEMES)
def test_the_text_stands_out_from_its_ground(pages, theme):
    faint = [path for path, page in pages.items() if page[theme, WIDTHS[-1]]["contrast"] < 4.5]
    assert faint == []


def test_search_finds_alpha(browser, address):
    wait = pytest.importorskip("selenium.webdriver.support.ui").WebDriverWait(browser, 20)
    browser.get(urljoin(address, "search.html?q=alpha"))
    wait.until(lambda browser: found(browser))
    assert any("BackpropMLPClassifier" in text for text in found(browser))


def found(browser):
    """Titles of what a search has found."""
    return [link.text for link in browser.find_elements("css selector", "#search-results li a")]


def test_no_page_says_where_it_was_built():
    places = {str(ROOT), str(Path.home())} - {"/"}
    told = [
        (path.name, place)
        for path in SITE.rglob("*.html")
        for place in places
        if place in path.read_text("utf-8")
    ]
    assert told == []
