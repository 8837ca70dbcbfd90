"""The built-in data set: what is planned, what is written, and that its genres can be learned."""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from genre_model.data.fma.subset_tracks import audio_path, locate_audio, select
from genre_model.data.fma.tracks_csv import COLUMNS, read_tracks
from genre_model.demo import DemoTrack, genres_csv, plan_demo, render_track, tracks_csv
from genre_model.demo.arrangement import PATTERNS
from genre_model.demo.encoding import synthesise
from genre_model.demo.plan import ENCODINGS, Defect
from genre_model.demo.recipes import GENRES, RECIPES, borrow
from genre_model.demo.sounds import TIMBRES, drum, note
from genre_model.mel import clip_windows

PLAN = plan_demo()
SOUND = [track for track in PLAN.tracks if track.defect is None and track.labelled]
CHEAPEST = min(ENCODINGS, key=lambda encoding: encoding.rate * encoding.channels)


def cheap(track: DemoTrack) -> DemoTrack:
    """Give a track the encoding that takes the least time."""
    return replace(track, encoding=CHEAPEST)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=15, deadline=None)
def test_every_plan_has_the_same_make_up(seed: int) -> None:
    plan = plan_demo(seed=seed)
    sound = [track for track in plan.tracks if track.defect is None and track.labelled]
    assert Counter((track.genre, track.split) for track in sound) == {
        (genre, split): number
        for genre in GENRES
        for split, number in (("training", 8), ("validation", 2), ("test", 2))
    }
    assert Counter((track.genre, track.encoding) for track in sound) == {
        (genre, encoding): 2 for genre in GENRES for encoding in ENCODINGS
    }
    assert sorted(track.defect for track in plan.tracks if track.defect) == sorted(Defect)
    assert sum(not track.labelled for track in plan.tracks) == 1
    assert all(one.track_id < other.track_id for one, other in pairwise(plan.tracks))
    assert len({track.seed for track in plan.tracks}) == len(plan.tracks)
    assert len({(track.artist_id, track.number) for track in plan.tracks}) == len(plan.tracks)


def test_a_plan_is_its_seed() -> None:
    assert plan_demo(seed=0) == PLAN
    assert plan_demo(seed=1).tracks != PLAN.tracks


def test_rates_channels_and_defects_are_mixed() -> None:
    assert PLAN.tracks[0].path == "fma_small/000/000002.mp3"
    assert len({track.path.split("/")[1] for track in PLAN.tracks}) == 3
    assert {encoding.rate for encoding in ENCODINGS} == {44_100, 22_050}
    assert {encoding.channels for encoding in ENCODINGS} == {1, 2}
    damaged = [track for track in PLAN.tracks if track.defect]
    assert len({track.genre for track in damaged}) == 6
    assert {track.split for track in damaged} == {"training", "validation", "test"}


def test_its_catalogue_reads_like_fmas() -> None:
    tracks = read_tracks(tracks_csv(PLAN).encode())
    assert len(tracks) == 103
    listing = [track.path for track in PLAN.tracks if track.defect is not Defect.MISSING]
    catalogue = locate_audio(select(tracks, subset="small", data_set="demo"), listing)
    assert len(catalogue.tracks) == 102
    assert catalogue.unlabelled == 1
    assert catalogue.genres == list(GENRES)
    assert catalogue.id.startswith("demo-")
    assert set(catalogue.tracks["path"]) - set(listing) == {
        track.path for track in PLAN.tracks if track.defect is Defect.MISSING
    }
    assert catalogue.shared_artists == 0


def test_tables_have_fmas_columns() -> None:
    lines = list(csv.reader(io.StringIO(tracks_csv(PLAN))))
    assert list(zip(lines[0][1:], lines[1][1:], strict=True)) == list(COLUMNS)
    assert lines[2] == ["track_id", *[""] * 52]
    assert {len(line) for line in lines} == {53}
    genres = list(csv.DictReader(io.StringIO(genres_csv(PLAN))))
    assert [line["title"] for line in genres if line["genre_id"] == "12"] == ["Rock"]
    assert sum(int(line["#tracks"]) for line in genres) == 102
    assert all(line["genre_id"] == line["top_level"] for line in genres)


@pytest.mark.whole
@pytest.mark.parametrize("track", SOUND[: len(ENCODINGS)], ids=lambda track: track.genre)
def test_a_track_is_a_real_mp3_of_30_seconds(track: DemoTrack) -> None:
    encoding = ENCODINGS[SOUND.index(track)]
    content = render_track(replace(track, encoding=encoding))
    assert content is not None
    with soundfile.SoundFile(io.BytesIO(content)) as file:
        assert (file.format, file.samplerate, file.channels) == (
            "MP3",
            encoding.rate,
            encoding.channels,
        )
        samples = file.read(dtype="float32")
    assert len(samples) / encoding.rate == pytest.approx(30, abs=0.1)
    assert 0.02 < np.abs(samples).max() <= 1.05
    # tracks.csv tells a nominal bit rate; a variable one strays from it.
    assert len(content) * 8 / 30 == pytest.approx(encoding.bit_rate, rel=0.4)


def test_the_same_track_gives_the_same_bytes_and_another_gives_others() -> None:
    track, other = cheap(SOUND[0]), cheap(SOUND[8])
    content = render_track(track)
    assert content == render_track(track)
    assert content != render_track(other)
    assert content != render_track(replace(track, artist_seed=other.artist_seed))


@pytest.mark.whole
def test_a_harder_level_takes_more_from_other_genres_and_the_first_changes_no_byte() -> None:
    tracks = [cheap(track) for track in SOUND[:2]]
    assert [render_track(each, level=1) for each in tracks] == [*map(render_track, tracks)]
    assert [render_track(each, level=10) for each in tracks] != [*map(render_track, tracks)]


@pytest.mark.parametrize("defect", list(Defect), ids=str)
def test_a_defect_gets_its_status(defect: Defect) -> None:
    track = next(track for track in PLAN.tracks if track.defect is defect)
    content = render_track(track)
    if content is None:
        assert defect.status == "missing"
        return
    clip = clip_windows(content)
    assert clip.status == defect.status
    assert clip.windows is None
    if defect in (Defect.TRUNCATED, Defect.BRIEF):
        assert clip.seconds == pytest.approx(0.7 if defect is Defect.TRUNCATED else 1.6, abs=0.4)


def test_a_sound_track_is_ok() -> None:
    content = render_track(cheap(SOUND[1]))
    assert content is not None
    clip = clip_windows(content)
    assert clip.status == "ok"
    assert clip.windows is not None
    assert clip.windows.shape == (10, 128, 128)


@pytest.mark.parametrize("timbre", TIMBRES)
def test_a_notes_spectrum_peaks_at_its_harmonics(timbre: str) -> None:
    rate, frequency = 22_050, 220.0
    sound = note(TIMBRES[timbre], frequency=frequency, seconds=1.0, rate=rate)
    assert sound.dtype == np.float32
    assert sound.shape == (rate,)
    assert 0.2 < np.abs(sound).max() <= 1.0
    power = np.abs(np.fft.rfft(sound * np.hanning(rate))) ** 2
    harmonic = np.arange(len(power)) / frequency
    near = np.abs(harmonic - np.round(harmonic)) < 0.06
    # A bell's partials are inharmonic; all else keeps its power at multiples of 220 Hz.
    assert (power[near].sum() / power.sum() > 0.9) == (timbre != "bell")


@pytest.mark.parametrize("name", sorted({name for of in PATTERNS.values() for name in of}))
def test_a_drum_sounds_at_once_and_fades(name: str) -> None:
    sound = drum(name, rate=22_050, rng=np.random.default_rng(0))
    tenth = len(sound) // 10
    assert np.isfinite(sound).all()
    assert 0.1 < np.abs(sound).max() < 2
    assert np.square(sound[-tenth:]).mean() < 0.01 * np.square(sound[: 3 * tenth]).mean()


def test_recipes_use_what_there_is() -> None:
    for recipe in RECIPES.values():
        assert {recipe.harmony_timbre, recipe.lead_timbre, recipe.bass_timbre} <= TIMBRES.keys()
        assert recipe.drums in PATTERNS
    assert {len(bar) for pattern in PATTERNS.values() for bar in pattern.values()} == {16}


def test_borrowing_takes_nothing_or_some_or_all() -> None:
    rng = np.random.default_rng(0)
    folk = RECIPES["Folk"]
    assert borrow(folk, share=0.0, rng=rng) == folk
    changed = [borrow(folk, share=0.5, rng=rng) != folk for _ in range(50)]
    assert sum(changed) > 40
    assert {recipe.drums for recipe in (borrow(folk, share=1.0, rng=rng) for _ in range(200))} == {
        recipe.drums for recipe in RECIPES.values()
    }


@pytest.mark.whole
def test_genres_can_be_learned_but_not_without_error() -> None:
    """Classify the test tracks by the nearest centroid of simple band statistics."""
    known = [track for track in SOUND if track.split == "training"]
    asked = [track for track in SOUND if track.split == "test"]
    features = np.array([_band_statistics(track) for track in known + asked])
    features = (features - features.mean(axis=0)) / features.std(axis=0)
    of_known = np.array([track.genre for track in known])
    centroids = np.array([features[: len(known)][of_known == g].mean(axis=0) for g in GENRES])
    distances = ((features[len(known) :, None] - centroids) ** 2).sum(axis=2)
    guessed = [GENRES[place] for place in distances.argmin(axis=1)]
    accuracy = np.mean([guess == track.genre for guess, track in zip(guessed, asked, strict=True)])
    # Chance is 1/8 of 16 tracks; 7 of them right by chance would happen once in 600 plans.
    assert 7 / 16 <= accuracy < 1


def _band_statistics(track: DemoTrack) -> np.ndarray:
    """Take mean, deviation and change of each mel band over the first seconds of a track."""
    rate = 22_050
    quick = replace(track, encoding=CHEAPEST)
    file = io.BytesIO()
    soundfile.write(file, synthesise(quick, seconds=9.2), rate, format="WAV", subtype="FLOAT")
    windows = clip_windows(file.getvalue()).windows
    assert windows is not None
    level = windows.astype(np.float32)
    change = np.abs(np.diff(level, axis=2)).mean(axis=(0, 2))
    return np.concatenate([level.mean(axis=(0, 2)), level.std(axis=2).mean(axis=0), change])


def test_paths_are_the_catalogues() -> None:
    assert {track.path for track in PLAN.tracks} == {
        audio_path(track.track_id) for track in PLAN.tracks
    }
