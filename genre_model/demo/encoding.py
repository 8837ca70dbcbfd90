"""A planned track's file: synthesised, encoded as MP3, and damaged where the plan says so."""

from __future__ import annotations

import io

import numpy as np
import soundfile

from genre_model.demo.arrangement import arrange
from genre_model.demo.mastering import draw_colour, master
from genre_model.demo.plan import CLIP_SECONDS, Defect, DemoTrack, Encoding
from genre_model.demo.recipes import RECIPES, borrow

# How much of a recipe an artist, and each of their tracks, takes from other genres.
_ARTIST_BORROWS = 0.1
_TRACK_BORROWS = 0.1
_GARBAGE = b"This is not an MP3, though its name says so.\n" * 400


def render_track(track: DemoTrack, *, level: float = 1.0) -> bytes | None:
    """Make a track's file.

    Parameters
    ----------
    track : DemoTrack
        One of a plan.
    level : float [0 or more]
        How hard its genre is to tell, as `synthesise` takes it.

    Returns
    -------
    bytes or None
        The MP3, or what its defect leaves of it: the same bytes in every run on one machine with
        one version of libsndfile. None if the file is to be missing.
    """
    match track.defect:
        case Defect.MISSING:
            return None
        case Defect.EMPTY:
            return b""
        case Defect.GARBAGE:
            return _GARBAGE
        case Defect.SILENCE:
            shape = (round(CLIP_SECONDS * track.encoding.rate), track.encoding.channels)
            return encode_mp3(np.zeros(shape, dtype=np.float32), encoding=track.encoding)
        case Defect.BRIEF:
            return encode_mp3(synthesise(track, seconds=1.6, level=level), encoding=track.encoding)
        case Defect.TRUNCATED:
            whole = encode_mp3(synthesise(track, level=level), encoding=track.encoding)
            return whole[: round(len(whole) * 0.7 / CLIP_SECONDS)]
        case None:
            return encode_mp3(synthesise(track, level=level), encoding=track.encoding)


def synthesise(
    track: DemoTrack, *, seconds: float = CLIP_SECONDS, level: float = 1.0
) -> np.ndarray:
    """Make a track's sound.

    Parameters
    ----------
    track : DemoTrack
        One of a plan; its defect is not looked at.
    seconds : float
        How long.
    level : float [0 or more]
        How hard its genre is to tell: so many times as many ingredients are those of other genres
        as in the built-in set.

    Returns
    -------
    np.ndarray [shape=(samples, channels), float32, within -1 to 1, at `track.encoding.rate`]
        The clip.
    """
    of_artist = np.random.default_rng(track.artist_seed)
    of_track = np.random.default_rng(track.seed)
    colour = draw_colour(of_artist)
    recipe = borrow(RECIPES[track.genre], share=level * _ARTIST_BORROWS, rng=of_artist)
    recipe = borrow(recipe, share=level * _TRACK_BORROWS, rng=of_track)
    rate, channels = track.encoding.rate, track.encoding.channels
    mix = arrange(recipe, seconds=seconds, rate=rate, channels=channels, rng=of_track)
    return master(mix, rate=rate, reverb=recipe.reverb, colour=colour, rng=of_track)


def encode_mp3(samples: np.ndarray, *, encoding: Encoding) -> bytes:
    """Encode a clip by libsndfile (LAME).

    Parameters
    ----------
    samples : np.ndarray [shape=(samples, channels), float32, within -1 to 1]
        The clip, with the encoding's rate and channels.
    encoding : Encoding
        Bit rate mode and compression.

    Returns
    -------
    bytes
        An MP3 file.
    """
    file = io.BytesIO()
    soundfile.write(
        file,
        samples,
        encoding.rate,
        format="MP3",
        subtype="MPEG_LAYER_III",
        bitrate_mode=encoding.mode,
        compression_level=encoding.compression,
    )
    return file.getvalue()
