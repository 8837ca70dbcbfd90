"""Clips: which part of a file is read, and its channels' sum in buffers that are kept."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile

from genre_model.audio import AudioFile, AudioSource, ClipDefect, Source, Status, sndfile_reason
from genre_model.specs import FeatureSpec

HALF_LSB = 2.0**-16
"""Half a step of 16-bit audio: a clip whose every sample is below it is digital silence.

Exact zeros come back from MP3, Vorbis and FLAC as exact zeros; the threshold allows for what a
decoder's rounding may add to them, and the faintest sample that 16 bits can hold is above it.
"""

LOUDEST = 1e6
"""RMS above which float samples are no audio; full scale is 1, unscaled 16-bit values 32,768."""

# Samples of one read: 31 s of 48 kHz stereo and a little. More comes in several reads.
_BLOCK_SAMPLES = 3 << 20
# Where a header lies about the length of a very long file, no more than this is listened through.
_LONGEST_COUNTED_SECONDS = 4 * 3_600
# Blocks fainter than this mean square are looked at sample by sample: are they silent?
_FAINT = 1e-8

Fill = Callable[[AudioFile, int, int], int]
"""Takes (file, start, frames), reads that range and returns how many frames there were."""


def read_clip(
    source: Source, fill: Fill, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
) -> int:
    """Have `fill` read a clip: a short file from its first sample, a longer one's middle.

    A header's frame count is only a hint: where there is less than it promised, the audio is
    listened through instead; where an MP3 goes on behind its promised end, it is read again.

    Parameters
    ----------
    source : Source
        The audio.
    fill : Fill
        What reads a range; called anew, from its first frame, if the header lied.
    clip_seconds : float [s]
        Length of the middle.
    longest_seconds : float [s]
        Longest file that counts as a clip.

    Returns
    -------
    int
        Frames that the last call of `fill` read.

    Raises
    ------
    ClipDefect
        `undecodable`.
    """
    with source.open() as file:
        longest = int(longest_seconds * file.samplerate)
        wanted = int(clip_seconds * file.samplerate)
        promised = file.frames
        if promised > longest:
            if fill(file, (promised - wanted) // 2, wanted) == wanted:
                return wanted
        else:
            frames = fill(file, 0, longest)
            if frames < promised or file.format != "MP3" or not source.exaggerate():
                return frames
    return _read_untrusted(source, fill, wanted=wanted, longest=longest)


def _read_untrusted(source: Source, fill: Fill, *, wanted: int, longest: int) -> int:
    """Read a clip without believing its header: a long one is listened through first."""
    with source.open() as file:
        frames = fill(file, 0, longest)
        if frames < longest:
            return frames
        total = frames + _skip(file, _LONGEST_COUNTED_SECONDS * file.samplerate)
    with source.open() as file:
        # Decoded and dropped: a seek is what cannot be trusted in such a file.
        _skip(file, (total - wanted) // 2)
        return fill(file, 0, wanted)


def _skip(file: AudioFile, frames: int) -> int:
    """Decode and drop up to `frames`; return how many there were."""
    scrap = np.empty((_BLOCK_SAMPLES // 16 // file.channels, file.channels), dtype=np.float32)
    skipped = 0
    while skipped < frames:
        part = scrap[: frames - skipped]
        got = read_block(file, part)
        skipped += got
        if got < len(part):
            break
    return skipped


def read_block(file: AudioFile, block: np.ndarray) -> int:
    """Read on into `block` (float32 [frames, channels]); return how many frames there were.

    Raises
    ------
    ClipDefect
        `undecodable`, if the decoder gives up.
    """
    try:
        return len(file.read(out=block))
    except soundfile.LibsndfileError as error:
        raise ClipDefect(
            Status.UNDECODABLE, f"the decoder gave up: {sndfile_reason(error)}"
        ) from error


def decode(
    audio: AudioSource, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
) -> tuple[np.ndarray, int]:
    """Decode a clip: all of a short file, the middle of a long one.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file of any format that libsndfile reads, or its path.
    clip_seconds, longest_seconds : float [s]
        What is read of a file longer than `longest_seconds`.

    Returns
    -------
    tuple[np.ndarray, int]
        Samples (float32 [frames, channels], full scale is 1) and their rate in Hz.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty` or `undecodable`.
    """
    samples = np.empty((0, 1), dtype=np.float32)
    rate = 0

    def fill(file: AudioFile, start: int, frames: int) -> int:
        nonlocal samples, rate
        rate = file.samplerate
        # What a header promises is at most `frames` here, so it may size an array.
        samples = np.empty((min(frames, file.frames), file.channels), dtype=np.float32)
        samples = samples[: read_block(file, samples)] if seek(file, start) else samples[:0]
        return len(samples)

    with Source(audio) as source:
        read_clip(source, fill, clip_seconds=clip_seconds, longest_seconds=longest_seconds)
    return samples, rate


def seek(file: AudioFile, start: int) -> bool:
    """Go to a frame; return whether the file could."""
    try:
        return start == 0 or file.seek(start) == start
    except soundfile.LibsndfileError:
        return False


@dataclass(frozen=True)
class Clip:
    """A clip's waveform, valid until its reader reads the next one.

    Parameters
    ----------
    channel_sum : np.ndarray [shape=(frames,), float32]
        The channels added up; divided by `channels` it is their mean.
    channels : int
        How many there were.
    rate : int [Hz]
        Sample rate.
    mean_square : float
        Of the channels' mean.
    silent : bool
        Whether every sample of every channel is below `HALF_LSB`.
    """

    channel_sum: np.ndarray
    channels: int
    rate: int
    mean_square: float
    silent: bool

    @property
    def seconds(self) -> float:
        """Return its length in seconds."""
        return len(self.channel_sum) / self.rate


class ClipReader:
    """Read clips one after another into buffers that are kept; one reader a thread.

    Memory: 12 MiB for samples, and 4 bytes a frame of the longest clip so far, whatever the files
    are or say.

    Parameters
    ----------
    clip_seconds, longest_seconds : float [s]
        See `read_clip`.
    """

    def __init__(self, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0) -> None:
        self.clip_seconds = clip_seconds
        self.longest_seconds = longest_seconds
        self._samples = np.empty(_BLOCK_SAMPLES, dtype=np.float32)
        self._sum = np.empty(0, dtype=np.float32)
        self._silent = True

    def read(self, audio: AudioSource) -> Clip:
        """Read one clip.

        Parameters
        ----------
        audio : bytes, str or os.PathLike
            The content of an audio file, or its path.

        Returns
        -------
        Clip
            With at least one frame; all samples are finite.

        Raises
        ------
        ClipDefect
            `missing`, `unreadable`, `empty`, `undecodable`, or `short` if there is no frame.
        """
        limits = {"clip_seconds": self.clip_seconds, "longest_seconds": self.longest_seconds}
        with Source(audio) as source:
            frames = read_clip(source, self._fill, **limits)
        return self._clip(self._sum[:frames])

    def _clip(self, channel_sum: np.ndarray) -> Clip:
        """Refuse what is no audio and measure what is."""
        if not len(channel_sum):
            raise ClipDefect(Status.SHORT, "no sample decodes")
        mean_square = _mean_square(channel_sum) / self._channels**2
        return Clip(channel_sum, self._channels, self._rate, mean_square, self._silent)

    def _fill(self, file: AudioFile, start: int, frames: int) -> int:
        if len(self._sum) < frames:
            self._sum = np.empty(frames, dtype=np.float32)
        self._rate, self._channels, self._silent = file.samplerate, file.channels, True
        return self.read_on(file, self._sum[:frames]) if seek(file, start) else 0

    def read_on(self, file: AudioFile, channel_sum: np.ndarray) -> int:
        """Read a file's next frames and add up their channels.

        Parameters
        ----------
        file : AudioFile
            Stands where to read on.
        channel_sum : np.ndarray [shape=(frames,), float32]
            Where to write; as many frames are read as fit, or there are.

        Returns
        -------
        int
            Frames that there were.
        """
        rows = _BLOCK_SAMPLES // file.channels
        block = self._samples[: rows * file.channels].reshape(rows, file.channels)
        done = 0
        while done < len(channel_sum):
            part = block[: len(channel_sum) - done]
            got = read_block(file, part)
            self._mix(part[:got], out=channel_sum[done : done + got])
            done += got
            if got < len(part):
                break
        return done

    def _mix(self, samples: np.ndarray, *, out: np.ndarray) -> None:
        """Add the channels up; notice if they are not silent."""
        if samples.shape[1] == 1:
            out[:] = samples[:, 0]
        else:
            # A mean over the short axis would take twenty times as long.
            np.add(samples[:, 0], samples[:, 1], out=out)
            for channel in range(2, samples.shape[1]):
                out += samples[:, channel]
        if self._silent and float(np.dot(out, out)) <= _FAINT * len(out):
            self._silent = bool(np.abs(samples).max(initial=0.0) < HALF_LSB)
        else:
            self._silent = False


def read_segments(audio: AudioSource, spec: FeatureSpec) -> Iterator[tuple[Clip, float]]:
    """Read a whole file in segments of `spec.clip_seconds`, each starting where windows end.

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file, or its path.
    spec : FeatureSpec
        Its windows say how far it is from one segment to the next.

    Yields
    ------
    tuple[Clip, float]
        A segment, valid until the next, and the time in seconds to the next one's start.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty` or `undecodable`.
    """
    reader = ClipReader()
    with Source(audio) as source, source.open() as file:
        length = int(spec.clip_seconds * file.samplerate)
        step = min(length, round(spec.windows * spec.window_seconds * file.samplerate))
        segment = np.empty(length, dtype=np.float32)
        have = reader.read_on(file, segment)
        while have:
            mean_square = _mean_square(segment[:have]) / file.channels**2
            clip = Clip(segment[:have], file.channels, file.samplerate, mean_square, False)
            yield clip, step / file.samplerate
            if have < length:
                break
            segment[: length - step] = segment[step:]
            have = length - step + reader.read_on(file, segment[length - step :])


def _mean_square(channel_sum: np.ndarray) -> float:
    """Return the mean square; refuse samples that are no audio."""
    with np.errstate(over="ignore", invalid="ignore"):
        mean_square = float(np.dot(channel_sum, channel_sum)) / len(channel_sum)
    if mean_square <= LOUDEST**2:
        return mean_square
    if np.isfinite(channel_sum).all():
        what = f"samples up to {np.abs(channel_sum).max():.0e}, where full scale is 1"
    else:
        what = "samples that are infinite or not a number"
    raise ClipDefect(Status.UNDECODABLE, f"it has {what}")
