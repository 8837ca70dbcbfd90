"""Waveforms: the mean of a file's channels at one sample rate, in buffers that are kept."""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import soxr

from genre_model.signal.audio import AudioFile, AudioSource, MemoryFile, Source
from genre_model.signal.clips import BLOCK_SAMPLES, read_blocks, read_clip, seek
from genre_model.signal.status import ClipDefect, Status

HALF_LSB = 2.0**-16
"""Half a step of 16-bit audio: a clip whose every sample is below it is digital silence.

Exact zeros come back from MP3, Vorbis and FLAC as exact zeros; the threshold allows for what a
decoder's rounding may add to them, and the faintest sample that 16 bits can hold is above it.
"""

LOUDEST = 1e6
"""RMS above which float samples are no audio; full scale is 1, unscaled 16-bit values 32,768."""

# Blocks of a mean square below this are looked at sample by sample: are they silent?
_FAINT = 1e-8


class Downmix:
    """Average a file's channels as it is decoded, and measure what comes by.

    Attributes
    ----------
    energy : float
        Sum of the squares of the channels' mean since `start`.
    silent : bool
        Whether all samples since `start` were below `HALF_LSB`.
    """

    def __init__(self) -> None:
        self._samples = np.empty(BLOCK_SAMPLES, dtype=np.float32)
        self.start()

    def start(self) -> None:
        """Measure from here on."""
        self.energy = 0.0
        self.silent = True

    def read_on(self, file: AudioFile, out: np.ndarray) -> int:
        """Read a file's next frames and average their channels.

        Parameters
        ----------
        file : AudioFile
            Stands where to read on.
        out : np.ndarray [shape=(frames,), float32]
            Where to write the mean; as many frames are read as fit, or there are.

        Returns
        -------
        int
            Frames that there were.

        Raises
        ------
        ClipDefect
            `undecodable`, if the decoder gives up at once or samples are no audio.
        """
        done = 0
        # Damaged float audio may overflow on its way to being refused.
        with np.errstate(over="ignore", invalid="ignore"):
            for block in read_blocks(file, len(out), self._samples):
                self._average(block, out=out[done : done + len(block)])
                done += len(block)
        return done

    def _average(self, samples: np.ndarray, *, out: np.ndarray) -> None:
        channels = samples.shape[1]
        if channels == 1:
            out[:] = samples[:, 0]
        else:
            # A mean over the short axis would take twenty times as long.
            np.add(samples[:, 0], samples[:, 1], out=out)
            for channel in range(2, channels):
                out += samples[:, channel]
            out *= np.float32(1 / channels)
        energy = float(np.dot(out, out))
        if not energy <= LOUDEST**2 * len(out):
            raise ClipDefect(Status.UNDECODABLE, _why_no_audio(samples))
        if self.silent:
            faint = energy <= _FAINT * len(out)
            self.silent = faint and bool(np.abs(samples).max(initial=0.0) < HALF_LSB)
        self.energy += energy


def _why_no_audio(samples: np.ndarray) -> str:
    if np.isfinite(samples).all():
        return f"it has samples up to {np.abs(samples).max():.0e}, where full scale is 1"
    return "it has samples that are infinite or not a number"


@dataclass(frozen=True)
class Clip:
    """A clip's waveform, valid until its reader reads the next one.

    Parameters
    ----------
    waveform : np.ndarray [shape=(samples,), float32]
        The mean of the channels at the reader's rate, all samples finite.
    seconds : float [s]
        Length of what was decoded.
    mean_square : float
        Of the mean of the channels, before it was resampled.
    silent : bool
        Whether every sample of every channel is below `HALF_LSB`.
    """

    waveform: np.ndarray
    seconds: float
    mean_square: float
    silent: bool


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
            frames = read_clip(
                source,
                self._fill,
                clip_seconds=self.clip_seconds,
                longest_seconds=self.longest_seconds,
            )
        if not frames:
            raise ClipDefect(Status.SHORT, "no sample decodes")
        waveform = resample(self._mean[:frames], rate=self._file_rate, new_rate=self.rate)
        seconds, mean_square = frames / self._file_rate, self._downmix.energy / frames
        return Clip(waveform, seconds, mean_square, self._downmix.silent)

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


def read_segments(
    audio: AudioSource, *, rate: int, length: int, step: int
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

    Yields
    ------
    tuple[int, np.ndarray]
        Start of a segment in samples, and its waveform (float32), valid until the next one. The
        last is shorter than the others, or empty.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty` or `undecodable`.
    """
    segment = np.empty(length, dtype=np.float32)
    start = have = 0
    for piece in _resampled_pieces(audio, rate):
        taken = 0
        while taken < len(piece):
            part = piece[taken : taken + length - have]
            segment[have : have + len(part)] = part
            taken, have = taken + len(part), have + len(part)
            if have == length:
                yield start, segment
                start, have = start + step, length - step
                segment[:have] = segment[step:]
    yield start, segment[:have]


def _resampled_pieces(audio: AudioSource, rate: int) -> Iterator[np.ndarray]:
    """Yield what a file gives at `rate`, piece by piece; together it is what `resample` gives."""
    downmix, mean = Downmix(), np.empty(BLOCK_SAMPLES, dtype=np.float32)
    with Source(audio) as source:
        with source.open() as file:
            # Read to its end, an MP3 needs no count of its frames, but must not be cut off by one.
            exaggerated = file.format == "MP3" and source.exaggerate()
        with source.open() as file:
            file.careful = exaggerated
            resampler = soxr.ResampleStream(file.samplerate, rate, 1, "float32", "HQ")
            got = len(mean)
            while got == len(mean):
                got = downmix.read_on(file, mean)
                yield resampler.resample_chunk(mean[:got], last=got < len(mean))
