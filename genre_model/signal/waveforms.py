"""Waveforms of clips: the mean of the channels at one sample rate, in buffers that are kept."""

import math
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter

import numpy as np
import soxr

from genre_model.signal.audio import AudioFile, AudioSource, MemoryFile, Source
from genre_model.signal.clips import Taken, read_clip, read_untrusted, seek
from genre_model.signal.downmix import Downmix
from genre_model.signal.excerpt import played
from genre_model.signal.holding import Holding, holding_of
from genre_model.signal.level import Level
from genre_model.signal.status import ClipDefect, Status
from genre_model.signal.unread import unread, unread_of_promised

# An encoder's own delay and padding (LAME's tag), which the decoder leaves out.
_DELAY_SAMPLES = 8_192


@dataclass(frozen=True)
class Clip:
    """A clip's waveform, valid until its reader reads the next one.

    Parameters
    ----------
    waveform : np.ndarray [shape=(samples,), float32]
        The mean of the channels at the reader's rate, all samples finite.
    seconds : float [s]
        Length of what was decoded.
    rate : int [Hz]
        Sample rate of the file; of several the highest.
    level : Level
        Of what was decoded, before it was resampled.
    file_seconds : float [s]
        Length of all that can be played of the file, of which a long one's middle was decoded.
    unread : str
        How much of the file could not be read, in a sentence; empty if all could.
    """

    waveform: np.ndarray
    seconds: float
    rate: int
    level: Level
    file_seconds: float
    unread: str = ""


class ClipReader:
    """Read clips one after another into buffers that are kept; one reader a thread.

    Memory: 4 bytes a frame of the longest clip so far, and the last file's bytes, whatever the
    files say.

    Parameters
    ----------
    rate : int [Hz]
        Sample rate of the waveforms.
    clip_seconds, longest_seconds : float [s]
        See `read_clip`.
    """

    def __init__(
        self, rate: int, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
    ) -> None:
        self.rate = rate
        self.clip_seconds = clip_seconds
        self.longest_seconds = longest_seconds
        self._memory = MemoryFile()
        self._downmix = Downmix()
        self._mean = np.empty(0, dtype=np.float32)
        self._file_rate = 0

    def read(self, audio: AudioSource) -> Clip:
        """Read one clip.

        Parameters
        ----------
        audio : bytes, str or os.PathLike
            The content of an audio file, or its path.

        Returns
        -------
        Clip
            With at least one frame.

        Raises
        ------
        ClipDefect
            `missing`, `unreadable`, `empty`, `undecodable`, or `short` if there is no frame.
        """
        with Source(audio, memory=self._memory) as source:
            clip = self._read(source)
        if not len(clip.waveform):
            raise ClipDefect(Status.SHORT, "no sample decodes")
        return clip

    def _read(self, source: Source) -> Clip:
        try:
            file = source.open()
        except ClipDefect:
            holding = holding_of(source, None)
            if holding is None:
                raise
            return self._read_excerpts(holding)
        with file:
            holding = holding_of(source, file)
            if holding is None:
                return self._read_as_it_says(source, file)
            if holding.samples is not None:
                clip = self._read_whole(file, holding)
                if clip is not None:
                    return clip
        return self._read_excerpts(holding)

    def _read_whole(self, file: AudioFile, holding: Holding) -> Clip | None:
        """Read a clip of a file that is in order; None if the decoder does not think so."""
        assert holding.samples is not None
        try:
            taken = self._take(file, holding.samples)
        except ClipDefect:
            if not file.gave_up:
                raise
            return None
        if taken.gave_up or taken.total < holding.samples - _DELAY_SAMPLES:
            return None
        return self._clip(taken, unread(taken.total / file.samplerate, holding))

    def _read_as_it_says(self, source: Source, file: AudioFile) -> Clip:
        """Read a clip of a file of which only the decoder knows; its header is but a hint."""
        promised = file.frames
        is_long = promised > self.longest_seconds * file.samplerate
        try:
            taken = self._take(file, promised)
        except ClipDefect:
            if not is_long:
                raise
            taken = None
        if taken is None or taken.gave_up or (is_long and taken.total < promised):
            taken = read_untrusted(
                source,
                self._fill,
                clip_seconds=self.clip_seconds,
                longest_seconds=self.longest_seconds,
            )
        rate = file.samplerate
        words = unread_of_promised(taken.total / rate, promised / rate, gave_up=taken.gave_up)
        return self._clip(taken, words)

    def _take(self, file: AudioFile, frames: int) -> Taken:
        return read_clip(
            file,
            self._fill,
            frames=frames,
            clip_seconds=self.clip_seconds,
            longest_seconds=self.longest_seconds,
        )

    def _read_excerpts(self, holding: Holding) -> Clip:
        """Read a clip of a file whose parts the decoder must be led to, at any rates."""
        start = 0.0
        wanted = self.longest_seconds
        if holding.seconds > self.longest_seconds:
            start, wanted = (holding.seconds - self.clip_seconds) / 2, self.clip_seconds
        self._downmix.start()
        heard, highest = 0.0, 0
        parts: list[np.ndarray] = []
        pieces = (
            (rate, mean.copy()) for rate, mean in played(holding.cut(start, wanted), self._downmix)
        )
        for rate, of_one_rate in groupby(pieces, key=itemgetter(0)):
            mean = np.concatenate([piece for _rate, piece in of_one_rate])
            heard, highest = heard + len(mean) / rate, max(highest, rate)
            parts.append(resample(mean, rate=rate, new_rate=self.rate))
        missed = max(0.0, min(wanted, holding.seconds) - heard)
        waveform = np.concatenate([np.empty(0, np.float32), *parts])
        playable = holding.seconds - missed
        words = unread(playable, holding)
        return Clip(waveform, heard, highest, self._downmix.level, playable, words)

    def _clip(self, taken: Taken, unread: str) -> Clip:
        frames, rate = taken.frames, self._file_rate
        if not frames:
            raise ClipDefect(Status.SHORT, "no sample decodes")
        waveform = resample(self._mean[:frames], rate=rate, new_rate=self.rate)
        return Clip(waveform, frames / rate, rate, self._downmix.level, taken.total / rate, unread)

    def _fill(self, file: AudioFile, start: int, frames: int) -> int:
        self._file_rate = file.samplerate
        self._downmix.start()
        if len(self._mean) < frames:
            self._mean = np.empty(frames, dtype=np.float32)
        return self._downmix.read_on(file, self._mean[:frames]) if seek(file, start) else 0


def resample(mono: np.ndarray, *, rate: int, new_rate: int) -> np.ndarray:
    """Resample by soxr HQ to as many samples as librosa gives: the length is rounded up.

    Parameters
    ----------
    mono : np.ndarray [shape=(frames,), float32]
        A waveform.
    rate, new_rate : int [Hz]
        Its sample rate, and the one wanted. If they are the same it is returned as it is.

    Returns
    -------
    np.ndarray [shape=(ceil(frames * new_rate / rate),), float32]
    """
    if rate == new_rate:
        return mono
    length = math.ceil(len(mono) * new_rate / rate)
    waveform: np.ndarray = soxr.resample(mono, rate, new_rate, quality="HQ")[:length]
    if len(waveform) < length:
        waveform = np.append(waveform, np.zeros(length - len(waveform), np.float32))
    return waveform
