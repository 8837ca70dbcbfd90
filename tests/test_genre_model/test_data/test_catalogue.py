"""The catalogue: FMA's tracks.csv as it is and as it is not, subsets, paths, the content's id."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.catalogue import COLUMNS, SUBSETS, Catalogue
from genre_model.data.fma.subset_tracks import audio_path, default_subset, locate_audio, select
from genre_model.data.fma.tracks_csv import COLUMNS as FMA_COLUMNS
from genre_model.data.fma.tracks_csv import read_tracks
from genre_model.errors import CatalogueError

Row = Mapping[tuple[str, str], str]


def tracks_csv(
    rows: Mapping[Any, Row] | Sequence[tuple[Any, Row]],
    *,
    columns: Sequence[tuple[str, str]] = FMA_COLUMNS,
) -> bytes:
    """Write a tracks.csv of FMA's form from the cells that are not empty."""
    items = rows.items() if isinstance(rows, Mapping) else rows
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(["", *(level for level, _ in columns)])
    lines.writerow(["", *(name for _, name in columns)])
    lines.writerow(["track_id", *("" for _ in columns)])
    for track_id, row in items:
        lines.writerow([track_id, *(row.get(column, "") for column in columns)])
    return text.getvalue().encode()


def row(genre: str = "Rock", split: str = "training", subset: str = "small", **more: str) -> Row:
    """Write the cells of one track; `artist_id="7"` becomes the column (artist, id)."""
    cells = {("set", "split"): split, ("set", "subset"): subset, ("track", "genre_top"): genre}
    named: dict[tuple[str, str], str] = {}
    for name, value in more.items():
        level, _, column = name.partition("_")
        named[level, column] = value
    return cells | named


@pytest.fixture
def small_to_large() -> pd.DataFrame:
    return read_tracks(
        tracks_csv(
            {
                9: row("Pop", "test", "large"),
                5: row("Rock", "training", "small"),
                2: row("Folk", "validation", "small"),
                7: row("Rock", "training", "medium"),
                8: row("", "training", "medium"),
            }
        )
    )


def test_columns_are_fmas() -> None:
    assert len(FMA_COLUMNS) == 52
    assert FMA_COLUMNS[0] == ("album", "comments")
    assert FMA_COLUMNS[-1] == ("track", "title")


def test_cells_are_read_as_they_stand() -> None:
    tracks = read_tracks(
        tracks_csv(
            {
                2: row(
                    "Hip-Hop",
                    artist_id="1",
                    artist_name="None",
                    album_id="12",
                    track_title='A "title",\nof two lines: été',
                    track_license="CC0",
                    track_duration="168",
                    track_bit_rate="256000",
                    artist_bio="<p>\n" * 50,
                ),
                3: row("", artist_id="x", artist_name="NA", track_duration=""),
            }
        )
    )
    assert tracks["track_id"].tolist() == [2, 3]
    assert tracks["track_id"].dtype == np.int64
    assert tracks["artist"].tolist() == ["None", "NA"]
    assert tracks["title"].iloc[0] == 'A "title",\nof two lines: été'
    numbers = tracks[["artist_id", "album_id", "duration", "bit_rate"]]
    assert numbers.iloc[0].to_list() == [1, 12, 168, 256000]
    assert tracks[["genre_top", "artist_id", "duration", "title"]].iloc[1].isna().all()


def test_other_order_line_ends_and_byte_order_mark_make_no_difference() -> None:
    rows = {2: row(artist_name="A, B"), 10: row("Pop", "test", "large")}
    plain = tracks_csv(rows)
    expected = read_tracks(plain)
    for other in (
        tracks_csv(rows, columns=FMA_COLUMNS[::-1]),
        plain.replace(b"\n", b"\r\n"),
        b"\xef\xbb\xbf" + plain,
    ):
        pd.testing.assert_frame_equal(read_tracks(other), expected)


def test_mixed_types_do_not_warn_and_every_source_reads_alike(tmp_path: Path) -> None:
    mixed = {
        number: row(track_number=str(number) if number % 2 else "A1", artist_id=str(number))
        for number in range(30_000)
    }
    content = tracks_csv(mixed)
    path = tmp_path / "tracks.csv"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        from_path = read_tracks(path)
    assert len(from_path) == 30_000
    pd.testing.assert_frame_equal(read_tracks(str(path)), from_path)
    pd.testing.assert_frame_equal(read_tracks(content), from_path)
    pd.testing.assert_frame_equal(read_tracks(io.BytesIO(content)), from_path)


GOOD = tracks_csv({2: row(), 3: row()})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "third line"),
        (b"genre_id,#tracks,parent,title,top_level\n1,8693,38,Avant-Garde,38\n", "third line"),
        (b"<html>\n<body>\nNot found\n</body>\n", "third line"),
        (b"PK\x03\x04\xff\xfe\x00", "not UTF-8"),
        (GOOD.replace(b",Rock,", b",R\xf6ck,", 1), "not UTF-8"),
        (b"".join(GOOD.splitlines(keepends=True)[:3]), "names no track"),
        (GOOD.replace(b",genre_top,", b",genre,"), "lacks the column track.genre_top"),
        (
            tracks_csv({2: row()}, columns=[pair for pair in FMA_COLUMNS if pair[0] != "set"]),
            "lacks the columns set.split, set.subset",
        ),
        (
            tracks_csv([(2, row()), (5, row()), (2, row())]),
            "names track 2 more than once, in line 4 and in line 6; keep one",
        ),
        (tracks_csv({2: row(), "two": row()}), "has in line 5 the track id 'two'"),
        (
            tracks_csv({2: row(artist_bio='Two\nlines, "one" cell'), "two": row()}),
            "has in line 6 the track id 'two'",
        ),
        (GOOD.replace(b"\n3,", b"\r\n\r\n  \r\nx3,"), "has in line 7 the track id 'x3'"),
        (b"\xef\xbb\xbf" + GOOD.replace(b"\n2,", b"\n2.5,"), "has in line 4 the track id '2.5'"),
        (GOOD.replace(b",", b";"), "has semicolons between its columns"),
        (b"sep=;\n" + GOOD.replace(b",", b";"), "has semicolons between its columns"),
        (GOOD.replace(b",", b"\t"), "has tabs between its columns"),
        (GOOD.replace(b"track_id,", b'"track_id";').replace(b",", b";"), "save it with commas"),
        (tracks_csv({2: row(), "": row()}), "track id ''"),
        (tracks_csv({2: row(), "-3": row()}), "track id '-3'"),
        (tracks_csv({4: row(split="train")}), "track 4 the split 'train'"),
        (tracks_csv({4: row(), 6: row(subset="")}), "track 6 the subset ''"),
        (GOOD + b'9,"cut off in a quoted cell', "damaged or cut off"),
    ],
)
def test_what_is_no_tracks_csv_is_refused_in_one_sentence(content: bytes, said: str) -> None:
    with pytest.raises(CatalogueError, match=r"^here/tracks\.csv ") as refusal:
        read_tracks(content, name="here/tracks.csv")
    message = str(refusal.value)
    assert said in message
    assert "\n" not in message
    assert message.endswith(".")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"no\.csv cannot be read \(No such file"):
        read_tracks(tmp_path / "no.csv")
    with pytest.raises(CatalogueError, match=r"cannot be read \(Is a directory"):
        read_tracks(tmp_path)


@pytest.mark.parametrize(
    ("subset", "track_ids", "unlabelled"),
    [("small", [2, 5], 0), ("medium", [2, 5, 7], 1), ("large", [2, 5, 7, 9], 1)],
)
def test_a_subset_includes_those_before_it(
    small_to_large: pd.DataFrame, subset: str, track_ids: list[int], unlabelled: int
) -> None:
    catalogue = select(small_to_large, subset=subset)
    assert catalogue.tracks["track_id"].tolist() == track_ids
    assert catalogue.unlabelled == unlabelled
    assert tuple(catalogue.tracks.columns) == COLUMNS
    assert catalogue.tracks["path"][0] == f"fma_{subset}/000/000002.mp3"


def test_full_is_every_row(small_to_large: pd.DataFrame) -> None:
    full = select(small_to_large, subset="full")
    assert len(full.tracks) + full.unlabelled == len(small_to_large)
    assert full.genres == ["Folk", "Pop", "Rock"]
    assert select(small_to_large, subset="small").genres == ["Folk", "Rock"]


def test_unknown_subset_and_no_genre_are_refused(small_to_large: pd.DataFrame) -> None:
    with pytest.raises(CatalogueError, match="no subset 'tiny'; choose one of small, medium"):
        select(small_to_large, subset="tiny")
    nothing = read_tracks(tracks_csv({2: row("", subset="small"), 3: row("Pop", subset="large")}))
    with pytest.raises(CatalogueError, match="No track of the subset 'medium' has a genre"):
        select(nothing, subset="medium")


@given(
    cells=st.lists(
        st.tuples(st.sampled_from(["", "Pop", "Rock"]), st.sampled_from(SUBSETS)), min_size=1
    )
)
@settings(max_examples=40, deadline=None)
def test_subsets_grow_and_lose_no_track(cells: list[tuple[str, str]]) -> None:
    rows = {place: row(genre, subset=subset) for place, (genre, subset) in enumerate(cells)}
    tracks = read_tracks(tracks_csv({**rows, 900: row("Folk")}))
    chosen = [select(tracks, subset=subset) for subset in SUBSETS]
    known = [set(catalogue.tracks["track_id"]) for catalogue in chosen]
    assert all(one <= other for one, other in pairwise(known))
    counts = [len(catalogue.tracks) + catalogue.unlabelled for catalogue in chosen]
    assert counts == [tracks["subset"].isin(SUBSETS[: n + 1]).sum() for n in range(4)]


def test_paths_are_fmas() -> None:
    assert audio_path(2) == "fma_small/000/000002.mp3"
    assert audio_path(155320, folder="fma_full") == "fma_full/155/155320.mp3"


@pytest.mark.parametrize(
    ("subset", "order"),
    [
        ("small", ["fma_small", "fma_medium", "fma_large", "fma_full"]),
        ("medium", ["fma_medium", "fma_large", "fma_small", "fma_full"]),
        ("large", ["fma_large", "fma_medium", "fma_small", "fma_full"]),
        ("full", ["fma_full", "fma_large", "fma_medium", "fma_small"]),
    ],
)
def test_audio_is_looked_for_in_order(
    small_to_large: pd.DataFrame, subset: str, order: list[str]
) -> None:
    catalogue = select(small_to_large, subset=subset)
    for place, folder in enumerate(order):
        there = [f"{name}/000/000002.mp3" for name in order[place:]]
        located = locate_audio(catalogue, [*there, "fma_small/000/000002.mp3.part", "README.txt"])
        assert located.tracks["path"][0] == f"{folder}/000/000002.mp3"
        assert located.tracks["path"][1] == f"{order[0]}/000/000005.mp3"
    assert locate_audio(catalogue, []).tracks.equals(catalogue.tracks)


def test_the_default_subset_is_the_largest_that_is_there() -> None:
    assert default_subset(["fma_metadata", "fma_small"]) == "small"
    assert default_subset({"fma_small", "fma_large"}) == "large"
    with pytest.raises(CatalogueError, match="music has none of the folders fma_small, fma_med"):
        default_subset(["fma_metadata"], data="music")


def test_the_id_is_the_content_and_nothing_else(small_to_large: pd.DataFrame) -> None:
    catalogue = select(small_to_large, subset="small")
    assert catalogue.id == "fma-" + catalogue.id[4:]
    assert len(catalogue.id) == len("fma-") + 8
    shuffled = select(small_to_large.sample(frac=1, random_state=1), subset="small")
    assert shuffled.id == catalogue.id
    as_objects = replace(catalogue, tracks=catalogue.tracks.astype(object))
    assert as_objects.id == catalogue.id
    assert replace(catalogue, data_set="demo").id == "demo-" + catalogue.id[4:]


def test_the_id_stays_the_same_between_versions() -> None:
    tracks = read_tracks(tracks_csv({2: row(artist_id="1", artist_name="Ä"), 3: row("Pop")}))
    assert select(tracks, subset="small").id == "fma-7ec83d0e"


@pytest.mark.parametrize("column", [name for name in COLUMNS if name != "track_id"])
def test_the_id_changes_with_every_column(small_to_large: pd.DataFrame, column: str) -> None:
    catalogue = select(small_to_large, subset="large")
    changed = catalogue.tracks.copy()
    changed.loc[1, column] = 4711 if column in ("artist_id", "album_id") else "other"
    assert replace(catalogue, tracks=changed).id != catalogue.id


def test_the_id_survives_parquet(small_to_large: pd.DataFrame, tmp_path: Path) -> None:
    catalogue = select(small_to_large, subset="large")
    catalogue.tracks.to_parquet(tmp_path / "catalogue.parquet")
    again = pd.read_parquet(tmp_path / "catalogue.parquet")
    assert Catalogue("fma", "large", again, 1).id == catalogue.id


def test_real_tracks_csv(real_music: Path) -> None:
    path = real_music / "fma_metadata" / "tracks.csv"
    header = [line.split(",")[1:] for line in path.read_text().splitlines()[:2]]
    assert list(zip(*header, strict=True)) == list(FMA_COLUMNS)
    tracks = read_tracks(path)
    assert len(tracks) == 171
    listing = [file.relative_to(real_music).as_posix() for file in real_music.rglob("*.mp3")]
    catalogue = locate_audio(select(tracks, subset="small"), listing)
    assert len(catalogue.tracks) == 170
    assert catalogue.unlabelled == 1
    assert 74692 not in set(catalogue.tracks["track_id"])
    assert catalogue.genres == [
        "Classical",
        "Electronic",
        "Hip-Hop",
        "Instrumental",
        "International",
        "Rock",
    ]
    without_file = catalogue.tracks.loc[~catalogue.tracks["path"].isin(listing), "track_id"]
    assert without_file.tolist() == [70054]
