"""What is known of fma_small, and what is said when a run found something else."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from genre_model.data.known_defects import DefectReport, compare_defects, fma_small
from genre_model.signal.status import Status

KNOWN = fma_small()
LISTED = [line.track_id for line in KNOWN.defects]
# Ids of 8,000 tracks as they lie in FMA: far apart, the listed ones among them.
IDS = sorted({*range(2, 2 + 19 * (KNOWN.tracks - len(LISTED)), 19), *LISTED})
TRACKS = pd.DataFrame({"track_id": [*IDS, 7], "subset": ["small"] * len(IDS) + ["medium"]})
STATUSES = {
    line.track_id: {"near-silent": "quiet", "no audio": "undecodable"}.get(line.defect, "short")
    for line in KNOWN.defects
}
PAIRS = [(IDS[place], IDS[place + 5]) for place in range(1_000, 2_200, 100)]


def rows(**changes: object) -> pd.DataFrame:
    """Make rows of fma_small as it is known; `changes` replaces columns."""
    table = pd.DataFrame({"track_id": IDS})
    table["status"] = table["track_id"].map(STATUSES).fillna("ok")
    table["windows"] = np.where(table["status"].isin(["ok", "quiet"]), 10, 0)
    table["path"] = "fma_small/000/000002.mp3"
    table["sha256"] = [f"{track:064x}" for track in IDS]
    table["stored"] = np.where(table["windows"] > 0, 200_000, 0)
    table["checksum"] = [
        f"{track:08x}" if n else "" for track, n in table[["track_id", "windows"]].values
    ]
    table = table.set_index("track_id", drop=False)
    for one, other in PAIRS:
        table.loc[other, "checksum"] = table.loc[one, "checksum"]
    # One of the pairs is one file twice.
    table.loc[PAIRS[0][1], "sha256"] = table.loc[PAIRS[0][0], "sha256"]
    return table.assign(**changes).reset_index(drop=True)


def compare(found: pd.DataFrame) -> DefectReport:
    report = compare_defects(KNOWN, found, TRACKS)
    assert report is not None
    return report


def test_the_list_names_its_sources_and_real_statuses() -> None:
    assert len(set(LISTED)) == len(LISTED)
    assert {*LISTED} == {98565, 98567, 98569, 99134, 108925, 133297, 72059, 110736, 119979}
    assert (KNOWN.name, KNOWN.tracks, KNOWN.identical_pairs) == ("fma_small", 8_000, 12)
    for line in KNOWN.defects:
        assert line.source
        assert {Status(status) for status in line.statuses}
    assert len(IDS) == KNOWN.tracks


def test_fma_small_as_it_is_known_differs_in_nothing() -> None:
    report = compare(rows())
    assert report.differences == ()
    assert report.tracks == 8_000
    assert {line.track_id for line in report.found} == {*LISTED}
    assert (report.identical.found, report.identical.files) == (12, 1)
    assert report.identical.pairs == tuple(sorted(PAIRS))


def test_what_differs_is_said_in_a_sentence_each() -> None:
    found = rows().set_index("track_id", drop=False)
    found.loc[98565, ["status", "windows"]] = ["ok", 10]
    found.loc[5 * 19 + 2, "status"] = "silent"
    found.loc[PAIRS[3][1], "checksum"] = "ffffffff"
    found = found.drop(index=110736)
    report = compare(found.reset_index(drop=True))
    assert report.differences == (
        "track 98565 is ok, and known as shorter than one window (expected: short)",
        "track 110736 (near-silent) has no row",
        "track 97 is silent, which is not known of it",
        "11 pairs of tracks have identical windows, and 12 pairs of clips are known to have "
        "identical PCM",
    )


def test_three_of_a_kind_are_three_pairs_and_silence_is_none() -> None:
    found = rows().set_index("track_id", drop=False)
    for track in IDS[3_000:3_003]:
        found.loc[track, "checksum"] = "0000abcd"
    for track in (72059, 110736):
        found.loc[track, "checksum"] = "0000dcba"
    assert compare(found.reset_index(drop=True)).identical.found == 12 + 3


@pytest.mark.parametrize("status", ["ok", "partial"])
def test_partial_is_nothing_to_speak_of(status: str) -> None:
    found = rows()
    found.loc[found["track_id"] == IDS[4], "status"] = status
    assert compare(found).differences == ()


@pytest.mark.parametrize(
    ("found", "tracks"),
    [
        (rows().head(7_000), TRACKS),
        (rows(), TRACKS.head(7_000)),
        (rows(), TRACKS.assign(subset="medium")),
        (rows(path="fma_full/000/000002.mp3"), TRACKS),
        (rows(status="missing", windows=0), TRACKS),
        (rows(), pd.DataFrame({"track_id": range(200_000, 208_000), "subset": "small"})),
        (rows(), pd.DataFrame({"track_id": range(1, 140_000), "subset": "small"})),
    ],
    ids=["half done", "a part", "not small", "whole tracks", "no audio", "made up", "too many"],
)
def test_it_is_silent_where_it_knows_nothing(found: pd.DataFrame, tracks: pd.DataFrame) -> None:
    assert compare_defects(KNOWN, found, tracks) is None


def test_a_few_missing_files_do_not_silence_it() -> None:
    found = rows().set_index("track_id", drop=False)
    found.loc[IDS[:3], ["status", "windows"]] = ["missing", 0]
    report = compare(found.reset_index(drop=True))
    assert report.differences == tuple(
        f"track {track} is missing, which is not known of it" for track in IDS[:3]
    )
