"""The HTML report in a real browser: its pictures are drawn, and no table is cut."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from test_report import GENRES, history, predictions

from genre_model.judging.evaluation import evaluate, track_table
from genre_model.judging.report import Report

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"
)
PICTURES = "[...document.images].map(image => image.complete ? image.naturalWidth : 0)"
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    made = predictions()
    report = Report(
        metrics=evaluate(made, genres=GENRES, training_labels=np.array([0, 0, 1, 2, 3])),
        history=history(),
        best_epoch=7,
        model="default-0a1b2c3d",
        predictions=track_table(made, genres=GENRES),
    )
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(report.html(), encoding="utf-8")
    # Chromium's sandbox refuses to run as root, and containers have a small /dev/shm.
    flags = ["--disable-dev-shm-usage", *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        opened = browser.new_page()
        opened.goto(path.as_uri())
        yield opened
        browser.close()


def test_every_picture_is_drawn(page: Any) -> None:
    widths = page.evaluate(PICTURES)
    assert len(widths) == 2
    assert min(widths) > 300


def test_the_headline_is_what_is_seen_first(page: Any) -> None:
    assert page.locator("text=Track accuracy").first.bounding_box()["y"] < 400


@pytest.mark.parametrize("width", [1300, 700])
def test_nothing_hangs_over_the_edge(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate(OVERHANG) <= 0
