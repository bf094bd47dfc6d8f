"""A browser on the console: opens pages, clicks, types, waits for words, keeps screenshots."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

PATIENCE_S, HEIGHT = 60, 1300
SCHEME = "return getComputedStyle(document.querySelector('.stApp')).colorScheme"


@dataclass(frozen=True)
class Walker:
    """A browser on the console. What it saw is kept below `shots`."""

    browser: WebDriver
    url: str
    shots: Path

    def portray(self, name: str) -> None:
        """Screenshots of the page as it is now, narrow and dark, then wide and light."""
        for scheme, width in (("dark", 800), ("light", 1400)):
            self.dress(scheme, width)
            self.keep(f"{name}-{scheme}-{width}")

    def dress(self, scheme: str, width: int) -> None:
        """As if the system had this scheme, which the app follows."""
        feature = {"name": "prefers-color-scheme", "value": scheme}
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        size = {"width": width, "height": HEIGHT, "deviceScaleFactor": 1, "mobile": False}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.wait(lambda: self.browser.execute_script(SCHEME) == scheme)

    def open(self, path: str, *, until: str) -> float:
        """Seconds until the page shows these words."""
        began = time.monotonic()
        self.browser.get(f"{self.url}{path}")
        self.wait(lambda: until in self.text)
        return time.monotonic() - began

    def wait(self, condition: Callable[[], object], *, within_s: float = PATIENCE_S) -> None:
        waiting = WebDriverWait(self.browser, within_s, 0.1, ignored_exceptions=[StaleElementReferenceException])
        waiting.until(lambda _: condition())

    def click(self, selector: str, text: str) -> None:
        """The element of that text, as soon as it is there."""
        self.wait(lambda: next((self._click(element) for element in self.all(selector) if text in element.text), False))

    def keep(self, name: str) -> None:
        """A screenshot of a page on which nothing went wrong."""
        assert self.browser.save_screenshot(str(self.shots / f"{name}.png"))
        assert "Traceback" not in self.text
        assert not self.all("[data-testid=stException]")

    def tab(self) -> str:
        """What the next press of the tabulator key reaches."""
        ActionChains(self.browser).send_keys(Keys.TAB).perform()
        return str(self.browser.switch_to.active_element.text)

    def type(self, selector: str, text: str) -> None:
        """Into the field, in the place of what is there; then the field is left, by which it counts."""
        self._keys(selector, Keys.CONTROL + "a" + Keys.NULL, text)

    def append(self, selector: str, text: str) -> None:
        """To the end of what is in the field."""
        self._keys(selector, Keys.CONTROL + Keys.END + Keys.NULL, text)

    def _keys(self, selector: str, *keys: str) -> None:
        self.wait(lambda: self.all(selector))
        field = self.all(selector)[0]
        self._click(field)
        field.send_keys(*keys, Keys.TAB)

    def all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    @property
    def text(self) -> str:
        return self.browser.find_element(By.TAG_NAME, "body").text

    def _click(self, element: WebElement) -> bool:
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'}); arguments[0].click()", element)
        return True
