"""What the artifacts say, without a server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest
from hostile_values import FORGED, hostile
from markdown_it import MarkdownIt

from flows.dashboard import artifacts
from flows.dashboard.sweep_board import SweepBoard
from flows.results import FeaturesResult, FetchResult
from genre_model.data.catalogue import COLUMNS, Catalogue
from genre_model.data.folder import Oddity
from genre_model.data.left_out import LeftOut
from genre_model.printable import printable
from storage.places.address import parse_location
from tasks.catalogue import CatalogueSummary, FoundCatalogue
from tasks.comparing.leaderboard import Leaderboard, ModelLine
from tasks.evaluated.metrics_file import Evaluation
from tasks.models import ModelFacts
from tasks.predicting.folder import PredictedFolder
from tasks.sweeping import Sweep, SweptTraining


@pytest.mark.parametrize("artists", [[1, 1], [1, 2], [None, 2]])
def test_the_catalogue_tells_of_shared_artists(
    monkeypatch: pytest.MonkeyPatch, artists: list[int | None]
) -> None:
    made: list[Any] = []
    monkeypatch.setattr(
        artifacts, "create_markdown_artifact", lambda text, **more: made.append((text, more["key"]))
    )
    tracks = pd.DataFrame({column: ["small", "small"] for column in COLUMNS}).assign(
        artist_id=pd.array(artists, dtype="Int64"),
        album_id=pd.array([None, None], dtype="Int64"),
        artist="Foo",
        split=["training", "test"],
    )
    found = FoundCatalogue(parse_location("music"), Catalogue("fma", "small", tracks, 0), {})
    artifacts.catalogue(found.summary())
    ((text, key),) = made
    assert key == "catalogue"
    said = "\n- 1 artist has tracks in several splits (as Foo: training, test), which flatters"
    assert (said in text) == (artists == [1, 1])
    assert ("several splits" in text) == (artists == [1, 1])


def test_the_catalogue_tells_what_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        artifacts, "create_markdown_artifact", lambda text, **_more: made.append(text)
    )
    odd = Oddity(path="rock/caf\udce9\x1b[31m.wav", reason="name", why="its name is not UTF-8")
    left_out = LeftOut.of(["pop/a.m4a", "pop/b.m4a"], [odd])
    tracks = pd.DataFrame({column: ["a\x07|b", "c"] for column in COLUMNS}).assign(
        artist_id=pd.array([1, 2], dtype="Int64"),
        album_id=pd.array([3, 4], dtype="Int64"),
        split=["training", "test"],
    )
    catalogue = Catalogue("music", "full", tracks, 0, left_out)
    artifacts.catalogue(FoundCatalogue(parse_location("music"), catalogue, {}).summary())
    (text,) = made
    assert "\n| .m4a | 2 |\n| name | 1 |\n" in text
    assert "2 files are of a format that is not read (2 .m4a)" in text
    assert r"rock/caf\xe9\x1b[31m.wav" in text
    assert r"| a\x07\|b |" in text
    assert all(line.isprintable() for line in text.split("\n"))


def test_tables_show_names_escaped(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Any] = []
    monkeypatch.setattr(artifacts, "create_table_artifact", lambda rows, **_more: made.append(rows))
    artifacts.quarantine([{"track_id": 1, "file": "a\x1b\n.wav", "detail": "\udce9"}], total=1)
    assert made == [[{"track_id": 1, "file": r"a\x1b\n.wav", "detail": r"\xe9"}]]


def test_predictions_tell_of_the_new_ones_and_of_the_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []
    monkeypatch.setattr(
        artifacts, "create_table_artifact", lambda _rows, **more: made.append(more["description"])
    )
    found = PredictedFolder(
        **{"model": "m", "folder": "music", "table": "t.parquet", "files": 9, "predicted": 3},
        **{"reused": 6, "statuses": {"ok": 8, "short": 1}, "genres": {"Rock": 8}},
        left_out=LeftOut.of([]),
        new_statuses={"ok": 2, "short": 1},
        longest="mix.mp3 (7:55): 0:00–4:10 Electronic, 4:10–7:55 Hip-Hop",
    )
    artifacts.predictions(found)
    artifacts.predictions(replace(found, predicted=0, new_statuses={}, longest=""))
    first, second = made
    assert "9 files of music, of them 3 new (2 ok, 1 short), by m" in first
    assert "the longest new one: mix.mp3 (7:55): 0:00–4:10 Electronic, 4:10–7:55 Hip-Hop" in first
    assert "of them 0 new (none), by m; left out: nothing" in second
    assert "longest" not in second


MARKDOWN = MarkdownIt("commonmark").enable(["table", "strikethrough"])
HISTORY = pd.DataFrame(
    {
        name: [0.5, 0.25]
        for name in (
            "epoch",
            "loss",
            "accuracy",
            "validation_loss",
            "validation_window_accuracy",
            "validation_track_accuracy",
        )
    }
)


def check_that_it_only_shows(markdown: str) -> None:
    """Fail unless Markdown has but text, tables, headings, code of ours and our own pictures."""
    assert all(printable(line) == line for line in markdown.split("\n"))
    for token in MARKDOWN.parse(markdown):
        for each in (token, *(token.children or ())):
            kind, content = each.type, each.content
            assert kind not in ("html_block", "html_inline", "fence", "code_block"), content
            assert kind != "link_open", each.attrs
            if kind == "image":
                assert str(each.attrs["src"]).startswith("data:image/png;base64,")
            if kind == "heading_open":
                assert token.tag in ("h1", "h2")
            if kind == "text":
                assert "alert(1)" not in content or r"\nforged [x](http://evil)" in content


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Collect what artifacts are made of: Markdown, tables and descriptions."""
    found: list[Any] = []
    for kind in ("markdown", "table"):
        monkeypatch.setattr(
            artifacts,
            f"create_{kind}_artifact",
            lambda content, *, key, description: found.extend([content, description]),  # noqa: ARG005
        )
    return found


def test_a_line_of_models_tells_all_shares_in_per_cent(made: list[Any]) -> None:
    line = ModelLine(
        model="a",
        network="linear",
        preset="mfcc",
        catalogue="fma-1",
        seed=0,
        split_policy="official",
        parameters=486,
        validation_track_accuracy=0.5,
        test_track_accuracy=0.57,
        test_interval=(0.303, 0.789),
        test_readings=2,
        champion=True,
        trained="2026-11-28T07:22:00+00:00",
    )
    unread = {"test_track_accuracy": None, "test_interval": None, "test_readings": 0}
    lines = (line, replace(line, model="b", champion=False, **unread))  # type: ignore[arg-type]
    artifacts.models(Leaderboard(models=lines, recipes=()))
    (first, second), _ = made
    shown = ("model", "validation", "test", "95 % interval", "test read")
    assert [first[name] for name in shown] == ["a (champion)", "50.0%", "57.0%", "30%–79%", "2x"]
    assert [second[name] for name in shown] == ["b", "50.0%", "", "", "0x"]


def done(each: SweptTraining) -> Sweep:
    """Make a sweep whose best this is."""
    return Sweep(id=FORGED, trainings=(replace(each, status="done"),))


@pytest.mark.parametrize(
    "publish",
    [
        lambda: artifacts.catalogue(hostile(CatalogueSummary)),
        lambda: artifacts.throughput(hostile(FeaturesResult), workers=1),
        lambda: artifacts.quarantine([{"file": FORGED, "reason": FORGED}], total=1),
        lambda: artifacts.training_curves(HISTORY, hostile(ModelFacts)),
        lambda: artifacts.evaluation(
            "# m", hostile(Evaluation), report=FORGED, model_folder=FORGED
        ),
        lambda: artifacts.models(hostile(Leaderboard)),
        lambda: artifacts.predictions(hostile(PredictedFolder)),
        lambda: artifacts.fetched(hostile(FetchResult)),
        lambda: SweepBoard().show(hostile(Sweep)),
        lambda: SweepBoard().show(done(hostile(SweptTraining))),
    ],
)
def test_no_text_does_more_than_show_itself(made: list[Any], publish: Callable[[], None]) -> None:
    publish()
    for each in made:
        cells = each if isinstance(each, str) else [c for row in each for c in row.values()]
        for text in [cells] if isinstance(cells, str) else cells:
            if isinstance(text, str):
                check_that_it_only_shows(f"{text}\n")
