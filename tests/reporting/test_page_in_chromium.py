"""The report page in a real browser: it renders, sorts, folds, and fits phones and screens."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

from tests.reporting.paged import CELLS, DIVERGED, HOSTILE, report

CHROMIUM, DRIVER = Path("/usr/bin/chromium"), Path("/usr/bin/chromedriver")
FLAGS = "headless=new no-sandbox disable-gpu disable-quic no-first-run disable-background-networking "
FLAGS += "disable-component-update disable-sync"
NAMES = [row[0] for row in CELLS]
BETA, ALPHA, GAMMA = "beta", "alpha", "gamma"

pytestmark = pytest.mark.skipif(
    not (CHROMIUM.exists() and DRIVER.exists()), reason="needs Debian's packages chromium and chromium-driver"
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def started(folder: Path) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = str(CHROMIUM)
    for flag in [*FLAGS.split(), f"user-data-dir={folder / 'profile'}"]:
        options.add_argument(f"--{flag}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    browser = webdriver.Chrome(options, Service(str(DRIVER)))
    yield browser
    browser.quit()


@pytest.fixture
def browser(started: webdriver.Chrome, folder: Path) -> webdriver.Chrome:
    """The page, freshly loaded, on a screen."""
    path = folder / "report.html"
    path.write_text(report(folder, DIVERGED), encoding="utf-8")
    resize(started, 1280, 900)
    started.get(path.as_uri())
    return started


def resize(browser: webdriver.Chrome, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def prefer(browser: webdriver.Chrome, scheme: str) -> None:
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


def script(browser: webdriver.Chrome, body: str) -> Any:
    return browser.execute_script(f"return {body}")


def head(browser: webdriver.Chrome, column: int) -> WebElement:
    return browser.find_elements(By.CSS_SELECTOR, "#headline thead button")[column]


def names(browser: webdriver.Chrome) -> list[str]:
    return script(browser, "[...document.querySelectorAll('#headline tbody th')].map(cell => cell.textContent)")


def order(browser: webdriver.Chrome) -> list[str | None]:
    return script(browser, "[...document.querySelectorAll('#headline thead th')].map(cell => cell.ariaSort)")


def test_it_renders_without_a_complaint_and_asks_nothing_of_the_network(browser: webdriver.Chrome) -> None:
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    requests = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
    ours = {request["request"]["url"] for request in requests if request["documentURL"] == browser.current_url}
    assert browser.current_url in ours
    assert all(url == browser.current_url or url.startswith("data:") for url in ours)
    assert browser.get_log("browser") == []
    assert HOSTILE in names(browser)


def test_a_forbidden_request_would_have_been_noticed(browser: webdriver.Chrome) -> None:
    browser.get_log("browser")
    script(browser, "document.body.append(Object.assign(new Image(), {src: 'http://localhost:9/x.png'}))")
    time.sleep(0.2)
    assert any("Content Security Policy" in entry["message"] for entry in browser.get_log("browser"))


@pytest.mark.parametrize(
    ("column", "rising", "falling"),
    [
        (0, [HOSTILE, ALPHA, BETA, GAMMA], [GAMMA, BETA, ALPHA, HOSTILE]),
        (1, [HOSTILE, BETA, GAMMA, ALPHA], [GAMMA, BETA, HOSTILE, ALPHA]),  # n/a last
        (2, [HOSTILE, BETA, GAMMA, ALPHA], [GAMMA, BETA, HOSTILE, ALPHA]),  # 1,234 is a number, - last
        (3, [ALPHA, GAMMA, BETA, HOSTILE], [BETA, GAMMA, ALPHA, HOSTILE]),  # signs
        (4, [BETA, HOSTILE, GAMMA, ALPHA], [ALPHA, HOSTILE, GAMMA, BETA]),  # ties keep their order
    ],
)
def test_a_click_sorts_and_a_second_one_reverses(
    browser: webdriver.Chrome, column: int, rising: list[str], falling: list[str]
) -> None:
    assert names(browser) == NAMES
    for direction, expected in (("ascending", rising), ("descending", falling)):
        head(browser, column).click()
        assert names(browser) == expected
        assert order(browser) == [direction if place == column else None for place in range(5)]


@pytest.mark.parametrize("key", [Keys.ENTER, Keys.SPACE])
def test_the_keyboard_sorts(browser: webdriver.Chrome, key: str) -> None:
    head(browser, 2).send_keys(key)
    assert names(browser) == [HOSTILE, BETA, GAMMA, ALPHA]
    head(browser, 0).send_keys(key)
    assert order(browser) == ["ascending", None, None, None, None]


@pytest.mark.parametrize(("width", "height"), [(360, 780), (1280, 900)])
def test_the_page_never_scrolls_sideways(browser: webdriver.Chrome, folder: Path, width: int, height: int) -> None:
    resize(browser, width, height)
    script(browser, "document.querySelectorAll('details').forEach(each => each.open = true)")
    assert script(browser, "document.documentElement.scrollWidth") <= width
    boxes = "[...document.querySelectorAll('.scroll')].map(box => [box.clientWidth, box.scrollWidth])"
    inside = script(browser, boxes)
    assert any(content > box for box, content in inside)  # wide tables scroll in their own box
    assert browser.save_screenshot(str(folder / f"{width}.png"))


def test_the_contents_stand_beside_the_page_on_a_screen_and_fold_on_a_phone(browser: webdriver.Chrome) -> None:
    broad, narrow = (browser.find_element(By.CSS_SELECTOR, f"nav.{kind}") for kind in ("broad", "narrow"))
    assert (broad.is_displayed(), narrow.is_displayed()) == (True, False)
    script(browser, "scrollTo(0, document.body.scrollHeight)")
    assert 0 <= script(browser, "document.querySelector('nav.broad').getBoundingClientRect().top") < 100
    resize(browser, 360, 780)
    assert (broad.is_displayed(), narrow.is_displayed()) == (False, True)
    link = narrow.find_element(By.CSS_SELECTOR, "a[href='#samples']")
    assert not link.is_displayed()
    narrow.find_element(By.TAG_NAME, "summary").click()
    link.click()
    assert abs(script(browser, "document.getElementById('samples').getBoundingClientRect().top")) < 780


def test_folded_tables_open(browser: webdriver.Chrome) -> None:
    folded = browser.find_element(By.CSS_SELECTOR, "#exhibits details")
    assert not folded.find_element(By.TAG_NAME, "table").is_displayed()
    summary = folded.find_element(By.TAG_NAME, "summary")
    assert summary.text == "40 rows 40 rows"
    summary.click()
    assert folded.find_element(By.TAG_NAME, "table").is_displayed()


def test_pictures_are_decoded_and_have_words(browser: webdriver.Chrome) -> None:
    for image in browser.find_elements(By.TAG_NAME, "img"):
        assert image.get_property("naturalWidth") > 0
        assert image.get_attribute("alt")
    shown = [caption.text for caption in browser.find_elements(By.TAG_NAME, "figcaption")]
    assert shown == ["Picture flat. What flat shows.", "Picture square. What square shows."]


def brightness(browser: webdriver.Chrome, element: str) -> float:
    colour = script(browser, f"getComputedStyle(document.querySelector('{element}')).backgroundColor")
    return sum(map(float, colour.removeprefix("rgb(").removesuffix(")").split(", "))) / 3


def test_dark_mode_is_dark_and_leaves_figures_on_white(browser: webdriver.Chrome) -> None:
    found = {}
    for scheme in ("light", "dark"):
        prefer(browser, scheme)
        found[scheme] = [brightness(browser, element) for element in ("body", "thead th", ".warning", ".card")]
    prefer(browser, "")
    assert min(found["light"]) > 200
    assert max(found["dark"][:3]) < 80
    assert found["dark"][3] == 255
