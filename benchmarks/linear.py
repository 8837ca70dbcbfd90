"""How long the head `linear` takes to be fitted: ``python -m benchmarks.linear``.

Made embeddings of 8,000 tracks x 10 windows x 456 values (the preset `musicnn` on FMA small): a
mean of each genre, an offset of each artist, of each track and of each window, so that no artist is
like another and the genres overlap, as in music. Everything is in memory: what is measured is the
search of the strength and the fit, as training does them, and not the reading.
"""

from __future__ import annotations

import argparse
import json
import time

import numpy as np

from benchmarks.clips import say
from genre_model.learning.batches import RowIndex
from genre_model.learning.fitting import fit
from genre_model.recipe import ModelSpec, TrainSpec

TRACKS, WINDOWS, VALUES, GENRES, TRACKS_AN_ARTIST = 8_000, 10, 456, 8, 5
ROWS_PER_SHARD = 64


def made_rows(tracks: int, values: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw embeddings.

    Returns
    -------
    tuple of np.ndarray
        Rows [shape=(tracks, windows, values), float16], labels and artists [shape=(tracks,)].
    """
    random = np.random.default_rng(0)
    artists = np.arange(tracks) // TRACKS_AN_ARTIST
    labels = random.integers(0, GENRES, artists[-1] + 1)[artists]
    means = random.normal(0, 0.15, (GENRES, values)).astype(np.float32)
    of_artists = random.normal(0, 0.5, (artists[-1] + 1, values)).astype(np.float32)
    of_tracks = random.normal(0, 0.5, (tracks, values)).astype(np.float32)
    rows = (means[labels] + of_artists[artists] + of_tracks)[:, None].repeat(WINDOWS, axis=1)
    rows += random.standard_normal(rows.shape, dtype=np.float32)
    return rows.astype(np.float16), labels.astype(np.int32), artists


def measure(tracks: int, values: int) -> dict[str, object]:
    """Fit the head to four fifths of made tracks, and judge it on the others."""
    rows, labels, artists = made_rows(tracks, values)
    first = -(-tracks * 4 // 5 // TRACKS_AN_ARTIST) * TRACKS_AN_ARTIST

    def index(begin: int, end: int) -> RowIndex:
        numbers = np.arange(begin, end)
        return RowIndex(
            rows=numbers,
            track_ids=numbers,
            labels=labels[begin:end],
            windows=np.full(end - begin, WINDOWS),
        )

    wall, cpu = time.perf_counter(), time.process_time()
    found = fit(
        index(0, first),
        validation=index(first, tracks),
        artists=artists[:first],
        read_shard=lambda shard: rows[shard * ROWS_PER_SHARD :][:ROWS_PER_SHARD],
        rows_per_shard=ROWS_PER_SHARD,
        classes=GENRES,
        model=ModelSpec(network="linear"),
        spec=TrainSpec(),
        say=say,
    )
    return {
        "tracks": tracks,
        "windows": WINDOWS,
        "values": values,
        "seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
        "search": found.search,
        "validation_track_accuracy": round(found.validation_track_accuracy, 3),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tracks", type=int, default=TRACKS, help="how many in all")
    parser.add_argument("--values", type=int, default=VALUES, help="of an embedding")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    found = measure(arguments.tracks, arguments.values)
    if arguments.json:
        print(json.dumps(found))
        return
    print(
        f"{found['tracks']:,} tracks x {WINDOWS} windows x {found['values']} values: "
        f"{found['seconds']} s, {found['cpu_seconds']} s of CPU; "
        f"{found['validation_track_accuracy']:.1%} of the validation tracks"
    )


if __name__ == "__main__":
    main()
