"""Waveforms of whole files, however long, in overlapping segments."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from genre_model.signal.audio import AudioFile, AudioSource, Source
from genre_model.signal.clips import BLOCK_SAMPLES
from genre_model.signal.downmix import Downmix
from genre_model.signal.excerpt import played
from genre_model.signal.holding import Holding, holding_of
from genre_model.signal.level import Level
from genre_model.signal.status import ClipDefect
from genre_model.signal.unread import unread, unread_of_promised

NOTHING = Level(0.0, 0.0, 1, is_silent=True)
"""The level of no sample."""


@dataclass
class Heard:
    """What was heard of a file, filled in while it is read.

    Parameters
    ----------
    seconds : float [s]
        Length of what was decoded.
    level : Level
        Of all of it.
    unread : str
        How much of the file could not be read, in a sentence; empty if all could.
    listener : callable, optional
        Is given the waveform at the segments' rate, piece by piece and each sample once; a piece
        is valid until it returns.
    """

    seconds: float = 0.0
    level: Level = NOTHING
    unread: str = ""
    listener: Callable[[np.ndarray], None] | None = None


def read_segments(
    audio: AudioSource, *, rate: int, length: int, step: int, heard: Heard | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """Read a whole file in overlapping segments.

        |<-------- length -------->|
        |<------- step ------->|<-------- length -------->|

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file, or its path.
    rate : int [Hz]
        Sample rate of the segments.
    length, step : int [samples at `rate`, step <= length]
        Of a segment, and from one's start to the next one's.
    heard : Heard, optional
        Is filled in: it tells all when the last segment has come.

    Yields
    ------
    tuple[int, np.ndarray]
        Start of a segment in samples, and its waveform (float32), valid until the next one. Those
        that begin less than `length` before the end are shorter, the last perhaps empty.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty` or `undecodable`.
    """
    segment = np.empty(length, dtype=np.float32)
    start = have = 0
    heard = heard or Heard()
    for piece in _resampled(_pieces(audio, heard), rate):
        taken = 0
        if heard.listener is not None:
            heard.listener(piece)
        while taken < len(piece):
            part = piece[taken : taken + length - have]
            segment[have : have + len(part)] = part
            taken, have = taken + len(part), have + len(part)
            if have == length:
                yield start, segment
                start, have = start + step, length - step
                segment[:have] = segment[step:]
    yield start, segment[:have]
    while have > step:
        start, have = start + step, have - step
        segment[:have] = segment[step : step + have]
        yield start, segment[:have]


def _resampled(pieces: Iterator[tuple[int, np.ndarray]], rate: int) -> Iterator[np.ndarray]:
    """Bring pieces of any rate to one; those of one rate together are what `resample` gives."""
    resampler: soxr.ResampleStream | None = None
    before = 0
    for own_rate, mean in pieces:
        if resampler is None or own_rate != before:
            if resampler is not None:
                yield resampler.resample_chunk(np.empty(0, np.float32), last=True)
            resampler, before = soxr.ResampleStream(own_rate, rate, 1, "float32", "HQ"), own_rate
        yield resampler.resample_chunk(mean)
    if resampler is not None:
        yield resampler.resample_chunk(np.empty(0, np.float32), last=True)


def _pieces(audio: AudioSource, heard: Heard) -> Iterator[tuple[int, np.ndarray]]:
    """Yield (rate, mean of the channels), piece by piece, to the end of all that can be played."""
    downmix = Downmix()
    with Source(audio) as source:
        holding, begun = None, 0.0
        try:
            file = source.open()
        except ClipDefect:
            holding = holding_of(source, None)
            if holding is None:
                raise
        else:
            with file:
                holding = holding_of(source, file)
                if holding is None or holding.samples is not None:
                    yield from _as_it_comes(file, holding, downmix, heard)
                    begun = heard.seconds
                    if holding is None or not file.gave_up:
                        return
        for rate, mean in played(holding.cut(begun, float("inf")), downmix):
            heard.seconds += len(mean) / rate
            yield rate, mean
        heard.level, heard.unread = downmix.level, unread(heard.seconds, holding)


def _as_it_comes(
    file: AudioFile, holding: Holding | None, downmix: Downmix, heard: Heard
) -> Iterator[tuple[int, np.ndarray]]:
    mean = np.empty(BLOCK_SAMPLES, dtype=np.float32)
    rate, promised = file.samplerate, file.frames
    got = len(mean)
    while got == len(mean):
        try:
            got = downmix.read_on(file, mean)
        except ClipDefect:
            # It gave up at once, which it may do only where there is another way, or was before.
            if not file.gave_up or (holding is None and not downmix.frames):
                raise
            got = 0
        heard.seconds = downmix.frames / rate
        yield rate, mean[:got]
    heard.level = downmix.level
    if holding is not None:
        heard.unread = unread(heard.seconds, holding)
    else:
        heard.unread = unread_of_promised(heard.seconds, promised / rate, gave_up=file.gave_up)
