"""The web page with a real browser on the running lab: two people, a few tweets, and the fail whale."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from reference_app.contract.topology import Lab
from reference_app.kit import deciders
from reference_app.kit.home import Home

PATIENCE_S = 30
SHED = "gateway_concurrency"
READABLE = 4.5
"""WCAG 2.2, level AA, for text of normal size."""
INKS = [
    ("ink", "page"), ("ink", "card"), ("soft", "page"), ("soft", "card"), ("soft", "sunk"), ("accent", "card"), ("accent", "accent-soft"),
    ("on-accent", "accent"), ("like", "card"), ("good", "card"), ("bad", "card"), ("warn-ink", "warn-page"),
]  # fmt: skip
COLOUR = "return getComputedStyle(document.documentElement).getPropertyValue('--' + arguments[0]).trim()"
HOSTILE = "<img src=x onerror=document.title='taken'><script>document.title='taken'</script>"

pytestmark = [
    pytest.mark.lab,
    pytest.mark.browser,
]


class Window:
    """A browser, as somebody who sees and clicks."""

    def __init__(self, browser: WebDriver, url: str) -> None:
        self.browser, self._url = browser, url
        self._wait = WebDriverWait(browser, PATIENCE_S, poll_frequency=0.1, ignored_exceptions=[StaleElementReferenceException])

    def open(self, path: str = "/") -> None:
        self.browser.get(self._url + path)

    def get(self, selector: str) -> WebElement:
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def until(self, condition: Callable[[], Any], what: str) -> None:
        self._wait.until(lambda _: condition(), f"never came true: {what}")

    def see(self, selector: str) -> WebElement:
        self.until(lambda: self.get(selector).is_displayed(), f"{selector} is seen")
        return self.get(selector)

    def write(self, selector: str, text: str) -> None:
        field = self.see(selector)
        field.clear()
        field.send_keys(text)

    def click(self, selector: str) -> None:
        self.see(selector).click()

    def texts(self) -> list[str]:
        return [element.text for element in self.browser.find_elements(By.CSS_SELECTOR, "#feed .text")]

    def sign_up(self) -> str:
        handle = f"b{uuid.uuid4().hex[:10]}"
        self.open()
        self.write("#handle", handle)
        self.write("#password", "correct horse")
        self.click("#sign-up")
        self.until(lambda: self.get("#nav-me").text == f"@{handle}", "signed up")
        return handle

    def post(self, text: str) -> None:
        self.write("#compose textarea", text)
        self.click("#compose button")

    def shows(self, text: str) -> bool:
        self.click("#refresh")
        self.until(lambda: self.get("#page").get_attribute("aria-busy") == "false", "the page is read again")
        return text in self.texts()

    def has_posted(self) -> bool:
        """Whether the post was acknowledged; insists when the page has given up."""
        if self.get("#compose textarea").get_attribute("value") == "":
            return True
        if "Post again" in self.get("#compose .status").text:
            self.click("#compose button")
        return False

    def refuses(self) -> bool:
        """Whether the whale is there; asks again when it is not."""
        if self.get("#whale").is_displayed():
            return True
        self.browser.execute_script("document.getElementById('refresh').click()")
        return False

    def complaints(self) -> list[str]:
        """Errors in the browser's console, such as what the content security policy has blocked; not answers that were none."""
        severe = [entry for entry in self.browser.get_log("browser") if entry["level"] == "SEVERE"]
        return [entry["message"] for entry in severe if entry["source"] != "network"]

    def contrast(self, ink: str, ground: str) -> float:
        """WCAG 2: (lighter + 0.05) / (darker + 0.05)."""
        lights = sorted(luminance(self.browser.execute_script(COLOUR, name)) for name in (ink, ground))
        return (lights[1] + 0.05) / (lights[0] + 0.05)

    def emulate(self, scheme: str, width: int) -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        metrics = {"width": width, "height": 1000, "deviceScaleFactor": 1, "mobile": width < 500}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def luminance(colour: str) -> float:
    """Of `#rrggbb`."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.fixture(scope="module")
def browsers(open_browser: Callable[[int, int], WebDriver]) -> Callable[[int], WebDriver]:
    """Browsers by number, started when they are first needed."""
    started: list[WebDriver] = []

    def browser(number: int) -> WebDriver:
        while len(started) <= number:
            started.append(open_browser(1280, 1000))
        return started[number]

    return browser


@pytest.fixture
def window(lab: Lab, browsers: Callable[[int], WebDriver]) -> Callable[[], Window]:
    """The next window, in which nobody is logged in."""
    opened: list[Window] = []

    def launch() -> Window:
        window = Window(browsers(len(opened)), lab.entry_url)
        window.open()
        window.browser.execute_script("localStorage.clear()")
        window.complaints()
        opened.append(window)
        return window

    return launch


@pytest.fixture
def set_capacity(home: Home) -> Iterator[Callable[[int], None]]:
    """Sets how many requests the gateway takes at once."""
    yield lambda value: deciders.write(home, SHED, value, by="test")
    home.deciders_file.unlink(missing_ok=True)


def test_a_follower_sees_a_post_until_it_is_deleted(window: Callable[[], Window]) -> None:
    author, reader = window(), window()
    handle = author.sign_up()
    reader.sign_up()
    reader.write("#whom", f"@{handle}")
    reader.click("#follow button")
    reader.until(lambda: handle in reader.get("#follow-status").text, "followed")
    author.post(HOSTILE)
    author.until(lambda: HOSTILE in author.texts(), "the author sees the tweet")
    reader.until(lambda: reader.shows(HOSTILE), "the follower sees the tweet")
    assert (author.browser.title, reader.browser.title) == ("failwhale", "failwhale")
    assert not reader.get("#feed .delete").is_displayed()
    reader.click("#feed .like")
    reader.until(lambda: reader.get("#feed .like").text.startswith("Liked"), "liked")
    reader.click("#feed .retweet")
    reader.until(lambda: reader.get("#feed .retweet").text.startswith("Retweeted"), "retweeted")
    author.click("#feed .delete")
    author.click("#feed .delete[data-sure]")
    author.until(lambda: author.texts() == [], "the author no longer sees the tweet")
    reader.until(lambda: not reader.shows(HOSTILE), "the follower no longer sees the tweet")
    assert author.complaints() == reader.complaints() == []


@pytest.mark.verify
def test_a_search_shows_who_wrote_it_and_a_reply_leads_to_what_it_answers(window: Callable[[], Window]) -> None:
    page, word = window(), f"w{uuid.uuid4().hex[:10]}"
    handle = page.sign_up()
    page.post(f"about #{word}")
    page.until(lambda: page.texts() == [f"about #{word}"], "posted")
    page.click("#feed .reply")
    page.write("#feed .reply-form textarea", f"an answer, {word}")
    page.click("#feed .reply-form button")
    page.until(lambda: "reply is posted" in page.get("#toast").text, "replied")
    page.write("#query", word)
    page.click("#search button")
    page.until(lambda: page.shows(f"an answer, {word}"), "the answer is found")
    assert {element.text for element in page.browser.find_elements(By.CSS_SELECTOR, "#feed .author")} == {handle}
    page.click("#feed .context a")
    page.until(lambda: page.texts() == [f"about #{word}"], "the tweet alone")
    page.click("#feed .text a")
    page.until(lambda: page.get("#title").text == f"“#{word}”" and len(page.texts()) == 1, "only the first has the hashtag")
    assert page.complaints() == []


@pytest.mark.verify
def test_the_whale_is_shown_while_the_gateway_sheds_and_leaves_by_itself(
    window: Callable[[], Window], set_capacity: Callable[[int], None]
) -> None:
    page = window()
    page.sign_up()
    set_capacity(0)
    page.until(page.refuses, "the whale on the page")
    assert page.see("#whale-request").text
    assert "Try again" in page.get("#whale-retry").text
    page.post("only once")
    page.until(lambda: "will not be posted twice" in page.get("#compose .status").text, "the post is tried again")
    set_capacity(512)
    page.until(lambda: not page.get("#whale").is_displayed(), "the whale left")
    page.until(page.has_posted, "the post came through")
    page.click("#nav-me")
    page.until(lambda: page.texts() == ["only once"], "it is there once")
    set_capacity(0)
    page.until(lambda: page.open() or page.get("html").get_attribute("data-served") == "503", "the gateway answers with the whale")
    assert page.see("#whale .scene").is_displayed()
    set_capacity(512)
    page.until(lambda: page.get("#page").is_displayed() and not page.get("#whale").is_displayed(), "back at home")
    assert page.complaints() == []


@pytest.mark.verify
def test_text_stands_out_and_fits_on_wide_and_narrow_screens_by_day_and_by_night(window: Callable[[], Window], tmp_path: Path) -> None:
    page = window()
    page.sign_up()
    page.post("a word " * 12 + "https://example.com/" + "x" * 60)
    page.until(lambda: len(page.texts()) == 1, "posted")
    for scheme, width in itertools.product(("light", "dark"), (1280, 360)):
        page.emulate(scheme, width)
        assert page.browser.execute_script("return document.documentElement.scrollWidth") <= width
        assert page.browser.save_screenshot(str(tmp_path / f"page-{scheme}-{width}.png"))
        unreadable = [pair for pair in INKS if page.contrast(*pair) < READABLE]
        assert unreadable == [], scheme
