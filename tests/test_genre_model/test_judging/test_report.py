"""The report: one self-contained page, Markdown with its pictures inside, and the pictures."""

import base64
import dataclasses
import io
import re
import struct
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from genre_model.judging.evaluation import WindowPredictions, evaluate, track_table
from genre_model.judging.metrics import Metrics
from genre_model.judging.paired.comparison import Evaluated, compare
from genre_model.judging.plots import confusion_png, curves_png, per_genre_png
from genre_model.judging.report import Report, most_confused
from genre_model.printable import as_markdown, is_harmless_markdown, printable

GENRES = ("Electronic", "Folk", "Hip-Hop", "Old-Time / Historic")
PNG = b"\x89PNG\r\n\x1a\n"


def predictions(seed: int = 0, tracks: int = 40) -> WindowPredictions:
    generator = np.random.default_rng(seed)
    labels = np.repeat(generator.integers(0, len(GENRES), tracks), 10)
    logits = generator.normal(0, 1, (tracks * 10, len(GENRES)))
    logits[np.arange(tracks * 10), labels] += 1
    powers = np.exp(logits)
    return WindowPredictions(
        (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32),
        labels,
        np.repeat(np.arange(tracks) + 2, 10),
    )


def history(epochs: int = 12) -> pd.DataFrame:
    falling = np.exp(-np.arange(epochs) / 5)
    return pd.DataFrame(
        {
            "epoch": np.arange(1, epochs + 1),
            "loss": 2 * falling,
            "accuracy": 1 - 0.7 * falling,
            "validation_loss": 0.6 + 1.4 * falling,
            "validation_window_accuracy": 0.6 - 0.4 * falling,
            "validation_track_accuracy": 0.7 - 0.4 * falling,
        }
    )


@pytest.fixture(scope="module")
def report() -> Report:
    made = predictions()
    metrics = evaluate(made, genres=GENRES, training_labels=np.array([0, 0, 1, 2, 3]))
    table = track_table(made, genres=GENRES)
    table.insert(1, "title", [f"<b>Song</b> & {track}" for track in table["track_id"]])
    return Report(
        metrics=metrics,
        history=history(),
        best_epoch=7,
        model="default-0a1b2c3d",
        facts={"network": "default", "parameters": 80726, "seconds": 41.25, "reused": False},
        specs={"Features": {"sample_rate": 22050, "scale": "decibel"}},
        tracks_per_split={"training": 120, "validation": 16, "test": 40},
        quarantined={"missing": 1, "silent": 2},
        predictions=table,
        licences={"CC BY-NC-SA 4.0": 30},
    )


class Page(HTMLParser):
    """Collect a page's text, its addresses and the tags that are still open at its end."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.text, self.addresses, self.open = [], [], []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.addresses += [value or "" for name, value in attrs if name in ("src", "href")]
        if tag not in ("meta", "img"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "title"):
            self.text.append(data)


def test_the_page_needs_nothing_but_itself(report: Report) -> None:
    html = report.html()
    page = Page(html)
    assert page.open == []
    assert page.addresses
    assert all(each.startswith("data:image/png;base64,") for each in page.addresses)
    assert not re.search(r"<script|@import|url\(|https?://", html)
    for address in page.addresses:
        assert base64.b64decode(address.partition(",")[2]).startswith(PNG)


def test_the_page_begins_with_the_headlines_and_tells_all(report: Report) -> None:
    text = " ".join(" ".join(Page(report.html()).text).split())
    metrics = report.metrics
    places = [
        text.index(each)
        for each in (
            "Track accuracy",
            f"{metrics.track_accuracy:.1%}",
            "Window accuracy",
            f"{metrics.window_accuracy:.1%}",
            "Macro-F1",
            f"{metrics.macro_f1:.3f}",
            "Dummy",
            "always says Electronic",
            "By genre",
            "Confusion matrix",
            "Training",
            "Data",
        )
    ]
    assert places == sorted(places)
    for each in (*GENRES, "80,726", "quarantined", "silent", "sample_rate", "CC BY-NC-SA 4.0"):
        assert each.lower() in text.lower()


def test_what_comes_from_outside_is_escaped(report: Report) -> None:
    html = report.html()
    assert "&lt;b&gt;Song&lt;/b&gt; &amp; " in html
    assert "<b>Song</b>" not in html


def test_the_mistakes_are_the_surest_first(report: Report) -> None:
    table = report.predictions
    assert table is not None
    wrong = table[table["genre"] != table["predicted"]]
    assert len(wrong) > 1
    surest = wrong.sort_values("probability", ascending=False)["track_id"].tolist()
    shown = re.findall(r"Song&lt;/b&gt; &amp; (\d+)", report.html())
    assert [int(each) for each in shown] == surest[:15]


def test_a_track_is_named_by_its_path_where_that_is_known(report: Report) -> None:
    table = report.predictions
    assert table is not None
    hashed = table.assign(
        path=[f"rock/{track}.wav" for track in table["track_id"]],
        track_id=table["track_id"] + 10**15,
    )
    html = dataclasses.replace(report, predictions=hashed).html()
    wrong = hashed[hashed["genre"] != hashed["predicted"]].sort_values("probability")
    for line in wrong.tail(15).itertuples():
        assert str(line.path) in html
        assert str(line.track_id) not in html


def test_a_page_without_the_optional_parts_renders(report: Report) -> None:
    bare = Report(metrics=report.metrics, history=history(1), model="notebook-00000000")
    page = Page(bare.html())
    assert page.open == []
    assert "None: every track" in " ".join(page.text)
    assert "Surest mistakes" not in " ".join(page.text)


def test_markdown_holds_the_pictures_and_whole_tables(report: Report) -> None:
    markdown = report.markdown()
    assert markdown.startswith("# default-0a1b2c3d on the test split\n")
    assert len(re.findall(r"!\[[^]]+\]\(data:image/png;base64,[A-Za-z0-9+/=]+\)", markdown)) == 3
    low, high = report.metrics.track_accuracy_interval
    line = f"| **{report.metrics.track_accuracy:.1%}** | {low:.1%} to {high:.1%} |"
    assert f"| Track accuracy {line}" in markdown
    assert "- **quarantined, missing**: 1\n" in markdown
    tables = re.findall(r"(?:^\|.*\n)+", markdown, flags=re.MULTILINE)
    assert len(tables) == 4
    for table in tables:
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert len(markdown) < 600_000


def test_comparisons_come_right_after_the_headlines(report: Report) -> None:
    former = track_table(predictions(seed=1), genres=GENRES).assign(
        genre=report.predictions["genre"]
    )
    this, other = (
        Evaluated(model=name, catalogue=catalogue, tracks=tracks)
        for name, catalogue, tracks in (
            (report.model, "fma-2", report.predictions),
            ("notebook-9f9f9f9f", "fma-1", former),
        )
    )
    comparison = compare(this, other, role="champion")
    compared = dataclasses.replace(
        report, standing="One sentence on the champion.", comparisons=[comparison]
    )
    first, *_ = comparison.figures
    said = (
        "One sentence on the champion.",
        "ith the champion, notebook-9f9f9f9f",
        f"{100 * first.gain:+.1f} points",
        *comparison.sentences,
        "confusion matrix",
    )
    html = " ".join(" ".join(Page(compared.html()).text).split())
    for text in (html, compared.markdown()):
        places = [text.lower().index(each.lower()) for each in said]
        assert places == sorted(places)
    tables = re.findall(r"(?:^\|.*\n)+", compared.markdown(), flags=re.MULTILINE)
    assert len(tables) == 5


def test_pictures_have_a_solid_ground_and_are_the_same_every_time(report: Report) -> None:
    from matplotlib.image import imread

    again = confusion_png(report.metrics), curves_png(history(), best_epoch=7)
    assert report.pictures["confusion_matrix.png"] == again[0]
    assert report.pictures["curves.png"] == again[1]
    for name, png in report.pictures.items():
        width, height = struct.unpack(">II", png[16:24])
        assert 500 < width < 2200, name
        assert 300 < height < 2200, name
        pixels = imread(io.BytesIO(png))
        assert pixels.shape[2] == 3 or pixels[..., 3].min() == 1
        np.testing.assert_array_equal(pixels[[0, 0, -1, -1], [0, -1, 0, -1], :3], 1)


def many_genres(count: int) -> Metrics:
    names = tuple(f"Genre number {number}" for number in range(count))
    made = WindowPredictions(np.eye(count), np.arange(count), np.arange(count))
    return evaluate(made, genres=names, training_labels=np.array([0]))


@pytest.mark.parametrize("count", [2, 16])
def test_any_number_of_genres_can_be_drawn(count: int) -> None:
    metrics = many_genres(count)
    assert confusion_png(metrics).startswith(PNG)
    assert per_genre_png(metrics).startswith(PNG)
    assert most_confused(metrics) == []


def test_the_most_confused_pairs_come_first() -> None:
    labels = np.array([0, 0, 0, 0, 1, 1, 2])
    guess = np.array([1, 1, 1, 0, 2, 1, 2])
    made = WindowPredictions(np.eye(4)[guess], labels, np.arange(7))
    metrics = evaluate(made, genres=GENRES, training_labels=labels)
    assert most_confused(metrics) == [
        ("Electronic", "Folk", 3, 0.75),
        ("Folk", "Hip-Hop", 1, 0.5),
    ]


HOSTILE = (
    "<script>alert(1)</script>",
    "a|b [x](http://evil) ![y](http://evil/z.png)",
    "\x1b[31mred\nnew \u202egnp.exe",
    "# head & &lt;b&gt; `code` *bold* <img src=x onerror=alert(1)>",
)


def test_no_name_does_more_than_show_itself(report: Report) -> None:
    """Genres, titles, licences, remarks, models: a page and Markdown show them as they are."""
    whole = " ".join(HOSTILE)
    table = report.predictions.assign(title=whole, artist=whole, path=whole, genre=HOSTILE[0])
    metrics = evaluate(predictions(), genres=HOSTILE, training_labels=np.array([0, 1, 2, 3]))
    hostile = Report(
        metrics=metrics,
        history=history(),
        model=whole,
        facts={whole: whole},
        specs={whole: {whole: whole}},
        tracks_per_split={whole: 1},
        quarantined={whole: 2},
        predictions=table,
        licences={whole: 3},
        remarks=[whole],
        standing=whole,
    )
    page = Page(hostile.html())
    assert page.open == []
    assert all(each.startswith("data:image/png") for each in page.addresses)
    text = " ".join(page.text)
    assert text.count(printable(whole)) > 10
    assert not re.search(r"<(script|img src=x)", hostile.html())
    assert is_harmless_markdown(hostile.markdown())
    assert as_markdown(whole) in hostile.markdown()
    rows = re.findall(r"^\|.*$", hostile.markdown(), flags=re.MULTILINE)
    assert all(line.endswith("|") and line.isprintable() for line in rows)


def test_the_page_allows_itself_nothing_but_styles_and_its_pictures(report: Report) -> None:
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', report.html())
    assert policy.split("; ") == [
        "default-src 'none'",
        "style-src 'unsafe-inline'",
        "img-src data:",
        "base-uri 'none'",
        "form-action 'none'",
    ]
    assert is_harmless_markdown(report.markdown())


@pytest.mark.filterwarnings("error")
def test_genres_may_have_the_names_that_folders_have() -> None:
    """A dollar begins no formula, and what no font has is drawn without a word."""
    names = ("A$AP & $x^{$", "Hip-Hop \U0001f3a4", "new\nline|\x1b[31m", "日本語")
    metrics = evaluate(predictions(), genres=names, training_labels=np.array([0, 1, 2, 3]))
    report = Report(metrics=metrics, history=history(), model="m", remarks=["<b>\x07</b>"])
    assert all(png.startswith(PNG) for png in report.pictures.values())
    for text in (report.html(), report.markdown()):
        assert all(line.isprintable() for line in text.split("\n"))
        assert r"\x1b[31m" in text
    assert r"| new\nline\|\x1b[31m |" in report.markdown()
    assert r"&lt;b&gt;\x07&lt;/b&gt;" in report.html()
    assert "&amp;amp;" not in report.html()
