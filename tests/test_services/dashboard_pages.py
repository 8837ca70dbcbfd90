"""Prefect's two dashboards in a headless Chromium: open a page, read it, take its picture."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from limits import STEP_S
from playwright.sync_api import Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
WIDTH, HEIGHT = 1300, 1000

# Widths in pixels by which a table is wider than what it can be seen through.
_CUT_TABLES = """
() => [...document.querySelectorAll('table')].map(table => {
  let seen = table;
  while (seen.parentElement && getComputedStyle(seen).overflowX === 'visible') {
    seen = seen.parentElement;
  }
  return table.scrollWidth - seen.clientWidth;
}).filter(cut => cut > 2)
"""
_PICTURES = """
() => [...document.images].filter(each => each.src.startsWith('data:image/png'))
  .map(each => ({alt: each.alt, drawn: each.naturalWidth, shown: each.clientWidth}))
"""
# The page's own scrolling element is not the window in either dashboard.
_WHOLE_HEIGHT = """
() => Math.max(...[...document.querySelectorAll('*')].map(each => each.scrollHeight))
"""


@dataclass(frozen=True)
class Dashboard:
    """One of the two dashboards.

    Attributes
    ----------
    page : Page
        The browser's.
    address : str
        Where its pages begin: the server's for the first one, `/v2` of it for the second.
    name : str
        `v1` or `v2`.
    screenshots : Path
        Folder of the pictures.
    """

    page: Page
    address: str
    name: str
    screenshots: Path

    def open(self, path: str, *texts: str, picture: str) -> None:
        """Open a page, wait until it shows all `texts`, and save it whole as `picture`."""
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})
        self.page.goto(f"{self.address}{path}")
        for text in texts:
            self.page.get_by_text(text).first.wait_for()
        self.page.wait_for_load_state("networkidle")
        self.save(picture)

    def save(self, picture: str) -> None:
        """Save all that the page shows, also what one would scroll to."""
        height = min(max(HEIGHT, int(self.page.evaluate(_WHOLE_HEIGHT))), 5000)
        self.page.set_viewport_size({"width": WIDTH, "height": height})
        self.page.wait_for_timeout(1500)
        self.page.screenshot(path=self.screenshots / f"{self.name}-{picture}.png")

    def choose_tab(self, name: str) -> None:
        """Choose one of a run page's tabs."""
        self.page.get_by_text(name, exact=True).first.click()

    def pictures(self) -> list[dict[str, Any]]:
        """List the PNGs of the page: `alt`, and how wide they were `drawn` and are `shown`."""
        found: list[dict[str, Any]] = self.page.evaluate(_PICTURES)
        return found

    def cut_tables(self) -> list[int]:
        """List by how many pixels each table is cut, of those that are."""
        found: list[int] = self.page.evaluate(_CUT_TABLES)
        return found


@contextmanager
def dashboards(server: str, screenshots: Path) -> Iterator[dict[str, Dashboard]]:
    """Open a browser at a server's dashboards, `v1` and `v2`.

    Parameters
    ----------
    server : str
        Its address.
    screenshots : Path
        A folder.
    """
    # Chromium's sandbox refuses to run as root, and containers have a small /dev/shm.
    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        found = {}
        for name, path in (("v1", ""), ("v2", "/v2")):
            context = browser.new_context(timezone_id="UTC")
            # Without it, whoever opens the first dashboard is sent on to the second.
            context.add_cookies([{"name": "prefect_ui_version", "value": name, "url": server}])
            context.set_default_timeout(1_000 * STEP_S)
            found[name] = Dashboard(context.new_page(), f"{server}{path}", name, screenshots)
        yield found
        browser.close()
