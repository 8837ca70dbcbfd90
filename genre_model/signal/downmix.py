"""The mean of a file's channels, and how loud it is, as the file is decoded."""

import numpy as np

from genre_model.signal.audio import AudioFile
from genre_model.signal.clips import BLOCK_SAMPLES, read_blocks
from genre_model.signal.level import QUIET_RMS, Level
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
    frames : int
        How many came by since `start`; all else is of them.
    """

    def __init__(self) -> None:
        self._samples = np.empty(BLOCK_SAMPLES, dtype=np.float32)
        self.start()

    def start(self) -> None:
        """Measure from here on."""
        self.frames = 0
        self._energy = self._loudest = 0.0
        self._channels = 1
        self._silent = True

    @property
    def level(self) -> Level:
        """Return how loud what came by was."""
        frames = max(1, self.frames)
        return Level(self._energy / frames, self._loudest / frames, self._channels, self._silent)

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
        if self._silent:
            faint = energy <= _FAINT * len(out)
            self._silent = faint and bool(np.abs(samples).max(initial=0.0) < HALF_LSB)
        self.frames += len(out)
        self._energy += energy
        self._channels = max(self._channels, channels)
        # The loudest channel is no fainter than the mean, so only a faint mean hides something.
        faint = channels > 1 and energy < QUIET_RMS**2 * len(out)
        self._loudest += _loudest(samples) if faint else energy


def _loudest(samples: np.ndarray) -> float:
    return float(np.einsum("fc,fc->c", samples, samples).max(initial=0.0))


def _why_no_audio(samples: np.ndarray) -> str:
    if np.isfinite(samples).all():
        return f"it has samples up to {np.abs(samples).max():.0e}, where full scale is 1"
    return "it has samples that are infinite or not a number"
