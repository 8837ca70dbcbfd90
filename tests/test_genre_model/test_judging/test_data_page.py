"""What a catalogue holds: counted, summed, and every duplicate found."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest

from flows.command.catalogue_lines import show
from genre_model.judging.data_page import DataPage, Spread, describe
from genre_model.judging.data_plots import data_png

TRACKS = pd.DataFrame(
    {
        "track_id": [1, 2, 3, 4],
        "path": ["a.mp3", "b.mp3", "c\n.mp3", "d.mp3"],
        "genre": ["Rock", "Rock", "$ka", "$ka"],
        "split": ["training", "test", "training", "validation"],
    }
)
HEARD = pd.DataFrame(
    {
        "track_id": [1, 2, 3, 9],
        "status": ["ok", "ok", "empty", "ok"],
        "seconds": [1_800.0, 3_600.0, np.nan, 9.0],
        "bit_rate": [128.0, 320.0, np.nan, 9.0],
        "sample_rate": [44_100.0, 44_100.0, np.nan, 8_000.0],
        "channels": [2.0, 1.0, np.nan, 7.0],
        "level_db": [-20.0, -10.0, np.nan, -90.0],
        "audio": ["x", "x", "", "x"],
    }
)
ABOUT = {"data": "/music", "unlabelled": 2, "left_out": {"no_tags": 3}, "remarks": ["Look."]}


@pytest.fixture
def page() -> DataPage:
    return describe(TRACKS, HEARD, catalogue="music-1", about=ABOUT)


def test_what_is_known_of_the_catalogues_own_tracks_is_told(page: DataPage) -> None:
    assert page.genres == {
        "$ka": {"training": 1, "validation": 1, "test": 0},
        "Rock": {"training": 1, "validation": 0, "test": 1},
    }
    assert (page.tracks, page.unlabelled, page.hours) == (4, 2, 1.5)
    assert page.hours_of == {"$ka": 0.0, "Rock": 1.5}
    assert page.statuses == {"ok": 2, "empty": 1}
    assert page.seconds == Spread(
        of=2, least=1_800, low=1_980, middle=2_700, high=3_420, most=3_600
    )
    assert page.bit_rates is not None
    assert page.bit_rates.middle == 224
    assert page.sample_rates == {"44100": 2}
    assert page.channels == {"2": 1, "1": 1}
    assert page.levels is not None
    assert page.levels.middle == -15
    told = dict(page.lines)
    assert told["sample rates"] == "2 of 44,100 Hz"
    assert told["channels"] == "1 of two channels, 1 of one channel"
    assert told["levels"].startswith("-15.0 dBFS in the middle")
    assert (page.duplicates, page.several_splits) == ((("a.mp3", "b.mp3"),), 1)
    assert sum(count for _, count in page.length_bins) == 2
    assert page.left_out == {"no_tags": 3}
    assert page.to_dict()["catalogue"] == "music-1"


def test_before_features_are_made_nothing_is_known_of_the_audio() -> None:
    page = describe(TRACKS, HEARD.head(0), catalogue="music-1", about={})
    assert (page.hours, page.seconds, page.statuses, page.duplicates) == (0.0, None, {}, ())
    assert dict(page.lines)["audio"] == "not heard yet"
    assert data_png(page).startswith(b"\x89PNG")


def test_people_read_it_on_lines(page: DataPage) -> None:
    to = io.StringIO()
    show(page, to)
    lines = to.getvalue().splitlines()
    assert lines[2] == (
        "tracks        4 (2 training, 1 validation, 1 test); 2 without a genre left out"
    )
    assert "left out      3 no tags" in lines
    assert "genre    training  validation        test" in lines
    assert "$ka             1           1           0" in lines
    assert lines[-2:] == ["the same audio: a.mp3, b.mp3", "note: Look."]


def test_the_picture_is_the_same_every_time(page: DataPage) -> None:
    assert data_png(page) == data_png(page)
