"""Waveforms of clips: the sum of their channels, in buffers that are kept from clip to clip."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from genre_model.audio import AudioFile, AudioSource, ClipDefect, Source, Status
from genre_model.clips import BLOCK_SAMPLES, read_blocks, read_clip, seek
from genre_model.specs import FeatureSpec

HALF_LSB = 2.0**-16
"""Half a step of 16-bit audio: a clip whose every sample is below it is digital silence.

Exact zeros come back from MP3, Vorbis and FLAC as exact zeros; the threshold allows for what a
decoder's rounding may add to them, and the faintest sample that 16 bits can hold is above it.
"""

LOUDEST = 1e6
"""RMS above which float samples are no audio; full scale is 1, unscaled 16-bit values 32,768."""

# Blocks of a mean square below this are looked at sample by sample: are they silent?
_FAINT = 1e-8


@dataclass(frozen=True)
class Clip:
    """A clip's waveform, valid until its reader reads the next one.

    Parameters
    ----------
    channel_sum : np.ndarray [shape=(frames,), float32]
        The channels added up; divided by `channels` it is their mean. All samples are finite.
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


class Mixer:
    """Read audio in blocks and add up its channels, measuring what comes by.

    Attributes
    ----------
    energy : float
        Sum of the squares of all channel sums since `start`.
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
        """Read a file's next frames and add up their channels.

        Parameters
        ----------
        file : AudioFile
            Stands where to read on.
        out : np.ndarray [shape=(frames,), float32]
            Where to write the sums; as many frames are read as fit, or there are.

        Returns
        -------
        int
            Frames that there were.

        Raises
        ------
        ClipDefect
            `undecodable`, if the decoder gives up or samples are no audio.
        """
        done = 0
        for block in read_blocks(file, len(out), self._samples):
            # Damaged float audio may overflow on its way to being refused.
            with np.errstate(over="ignore", invalid="ignore"):
                self._mix(block, out=out[done : done + len(block)])
            done += len(block)
        return done

    def _mix(self, samples: np.ndarray, *, out: np.ndarray) -> None:
        """Add the channels up and measure them."""
        if samples.shape[1] == 1:
            out[:] = samples[:, 0]
        else:
            # A mean over the short axis would take twenty times as long.
            np.add(samples[:, 0], samples[:, 1], out=out)
            for channel in range(2, samples.shape[1]):
                out += samples[:, channel]
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


class ClipReader:
    """Read clips one after another into buffers that are kept; one reader a thread.

    Memory: 1 MiB for samples, and 4 bytes a frame of the longest clip so far, whatever the files
    are or say.

    Parameters
    ----------
    clip_seconds, longest_seconds : float [s]
        See `read_clip`.
    """

    def __init__(self, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0) -> None:
        self.clip_seconds = clip_seconds
        self.longest_seconds = longest_seconds
        self._mixer = Mixer()
        self._sum = np.empty(0, dtype=np.float32)
        self._channels = self._rate = 0

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
        with Source(audio) as source:
            frames = read_clip(
                source,
                self._fill,
                clip_seconds=self.clip_seconds,
                longest_seconds=self.longest_seconds,
            )
        if not frames:
            raise ClipDefect(Status.SHORT, "no sample decodes")
        mean_square = self._mixer.energy / frames / self._channels**2
        return Clip(self._sum[:frames], self._channels, self._rate, mean_square, self._mixer.silent)

    def _fill(self, file: AudioFile, start: int, frames: int) -> int:
        if len(self._sum) < frames:
            self._sum = np.empty(frames, dtype=np.float32)
        self._rate, self._channels = file.samplerate, file.channels
        self._mixer.start()
        return self._mixer.read_on(file, self._sum[:frames]) if seek(file, start) else 0


def read_segments(audio: AudioSource, spec: FeatureSpec) -> Iterator[tuple[float, Clip]]:
    """Read a whole file in segments of `spec.clip_seconds`, each starting where windows end.

        |<-------- clip_seconds -------->|
        | window | window | ... | window |  |
                                         | window | window | ...

    Parameters
    ----------
    audio : bytes, str or os.PathLike
        The content of an audio file, or its path.
    spec : FeatureSpec
        Its windows say how far it is from one segment to the next.

    Yields
    ------
    tuple[float, Clip]
        Start of a segment in seconds, and the segment, valid until the next.

    Raises
    ------
    ClipDefect
        `missing`, `unreadable`, `empty` or `undecodable`.
    """
    mixer = Mixer()
    with Source(audio) as source, source.open() as file:
        length = int(spec.clip_seconds * file.samplerate)
        step = min(length, round(spec.windows * spec.window_seconds * file.samplerate))
        segment = np.empty(length, dtype=np.float32)
        have = mixer.read_on(file, segment)
        start = 0
        while have:
            mean_square = mixer.energy / have / file.channels**2
            clip = Clip(segment[:have], file.channels, file.samplerate, mean_square, mixer.silent)
            yield start / file.samplerate, clip
            if have < length:
                break
            start += step
            segment[: length - step] = segment[step:]
            mixer.start()
            have = length - step + mixer.read_on(file, segment[length - step :])
