"""The HTML report in a real browser: its pictures are drawn, and no table is cut."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from test_report import GENRES, history, predictions

from genre_model.judging.data_page import describe
from genre_model.judging.evaluation import evaluate, track_table
from genre_model.judging.failing.robustness import DisturbedAccuracy
from genre_model.judging.judgement import Judgement
from genre_model.judging.leaks import Leak, Leaks
from genre_model.judging.paired.comparison import Evaluated, compare
from genre_model.judging.plots import RESOLUTION
from genre_model.judging.report import Report
from genre_model.judging.weak_spots import find_weak_spots

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="no chromium on the path: apt-get install chromium"
)
PICTURES = "[...document.images].map(image => image.complete ? image.naturalWidth : 0)"
OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


LETTERS = 9
"""Points of the numbers in the matrix."""
CUT = """() => [...document.querySelectorAll(".wide")]
  .filter(each => each.scrollWidth > each.clientWidth)
  .map(each => each.previousElementSibling)
  .filter(said => !said || !said.matches(".scrolls") || !said.offsetHeight)
  .map(said => said ? said.textContent : "nothing above it")"""
"""What scrolls sideways and does not say so."""


def full_report() -> Report:
    """Make a report with everything that one can have, and names of a usual length."""
    made = predictions()
    table = track_table(made, genres=GENRES).assign(
        path=[f"fma_small/{each:03d}/{each:06d}.mp3" for each in range(40)],
        title="A title of some length (live at the radio)",
        artist="An Artist and Her Band",
    )
    other = track_table(predictions(seed=1), genres=GENRES).assign(genre=table["genre"])
    compared = compare(
        Evaluated(model="default-0a1b2c3d", catalogue="fma-1", tracks=table),
        Evaluated(model="notebook-9f9f9f9f", catalogue="fma-1", tracks=other),
        role="champion",
    )
    heard = pd.DataFrame(
        {
            "track_id": table["track_id"],
            "seconds": np.linspace(20, 300, 40),
            "bit_rate": np.linspace(96, 320, 40),
            "sample_rate": 44_100,
            "channels": 2,
            "level_db": np.linspace(-30, -8, 40),
        }
    )
    leak = Leak(
        kind="identical", track_id=3, artist="An Artist", others=2, path="a.mp3", trained="b"
    )
    return Report(
        metrics=evaluate(made, genres=GENRES, training_labels=np.array([0, 0, 1, 2, 3])),
        history=history(),
        best_epoch=7,
        model="default-0a1b2c3d",
        facts={"network": "default", "catalogue": "fma-0a1b2c3d", "windows joined by": "mean"},
        specs={"Training": {"optimiser": "adam", "learning_rate": 1e-3}},
        tracks_per_split={"training": 120, "test": 40},
        predictions=table,
        comparisons=[compared],
        leaks=Leaks(counts={"identical": 1, "artists": 0, "components": 0}, named=(leak,)),
        weak_spots=find_weak_spots(
            made, heard.assign(windows=10.0, artist_tracks=2.0), Judgement(threshold=0.5)
        ),
        data=describe(
            table.assign(split="test"),
            heard.assign(status="ok", audio=""),
            catalogue="fma-0a1b2c3d",
            about={"data": "/data/fma"},
        ),
        robustness=[
            DisturbedAccuracy(
                name="mp3",
                title="MP3 at 64 kbit/s",
                tracks=40,
                track_accuracy=0.5,
                interval=(0.25, 0.75),
                difference=-0.25,
                difference_interval=(-0.5, 0.0),
            )
        ],
        head={"data set": "fma", "catalogue": "fma-0a1b2c3d", "recipe": "default, seed 0"},
    )


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    report = full_report()
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
    assert len(widths) == 4
    assert min(widths) > 300


def test_the_headline_is_what_is_seen_first(page: Any) -> None:
    assert page.locator("text=Track accuracy").first.bounding_box()["y"] < 400


@pytest.mark.parametrize("width", [1300, 700, 600, 390])
def test_nothing_hangs_over_the_edge_and_what_scrolls_says_so(page: Any, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate(OVERHANG) <= 0
    assert page.evaluate(CUT) == []


def test_the_labels_of_the_matrix_can_be_read_on_a_phone(page: Any) -> None:
    page.set_viewport_size({"width": 390, "height": 900})
    matrix = page.locator("img.matrix")
    drawn = matrix.evaluate("image => image.naturalWidth")
    letters = LETTERS * RESOLUTION / 72
    assert letters * matrix.bounding_box()["width"] / drawn > 9
