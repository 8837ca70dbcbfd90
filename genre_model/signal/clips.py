"""Clips: which part of a file is read, whatever its header says."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import soundfile

from genre_model.signal.audio import AudioFile, Source, sndfile_reason
from genre_model.signal.status import ClipDefect, Status

BLOCK_SAMPLES = 1 << 17
"""Samples of one read (512 KiB): still in a core's second cache when something is made of them."""

# Read at once where the decoder may give up: one MP3 frame.
_CAREFUL_FRAMES = 1_152
# Where a header lies about the length of a very long file, no more than this is listened through.
_LONGEST_COUNTED_SECONDS = 4 * 3_600

Fill = Callable[[AudioFile, int, int], int]
"""Takes (file, start, frames), reads that range and returns how many frames there were."""


@dataclass(frozen=True)
class Taken:
    """What was read of a file.

    Parameters
    ----------
    frames : int
        That the last call of `fill` read.
    total : int
        That the file has, as far as the decoder goes.
    gave_up : bool
        Whether the decoder did, with more of the file to come.
    """

    frames: int
    total: int
    gave_up: bool = False


def read_clip(
    file: AudioFile,
    fill: Fill,
    *,
    frames: int,
    clip_seconds: float = 30.0,
    longest_seconds: float = 31.0,
) -> Taken:
    """Have `fill` read a clip: a short file from its first sample, a longer one's middle.

    Parameters
    ----------
    file : AudioFile
        Just opened.
    fill : Fill
        What reads a range.
    frames : int
        How many there are to be.
    clip_seconds : float [s]
        Length of the middle.
    longest_seconds : float [s]
        Longest file that counts as a clip.

    Returns
    -------
    Taken
        With fewer `frames` than there were to be if the file is not as it says.

    Raises
    ------
    ClipDefect
        `undecodable`.
    """
    longest, wanted = int(longest_seconds * file.samplerate), int(clip_seconds * file.samplerate)
    if frames <= longest:
        got = fill(file, 0, longest)
        return Taken(got, got, file.gave_up)
    got = fill(file, (frames - wanted) // 2, wanted)
    return Taken(got, frames if got == wanted else got, file.gave_up)


def read_untrusted(
    source: Source, fill: Fill, *, clip_seconds: float = 30.0, longest_seconds: float = 31.0
) -> Taken:
    """Read a clip without believing its header: a long one is listened through first.

    Where the decoder gives up, the clip is what came before.

    Parameters
    ----------
    source : Source
        The audio.
    fill, clip_seconds, longest_seconds
        As of `read_clip`.

    Raises
    ------
    ClipDefect
        `undecodable`.
    """
    with source.open() as file:
        longest, wanted = (
            int(seconds * file.samplerate) for seconds in (longest_seconds, clip_seconds)
        )
        file.careful = True
        frames = fill(file, 0, longest)
        if frames < longest:
            return Taken(frames, frames, file.gave_up)
        file.careful = False
        total = frames + skip(file, _LONGEST_COUNTED_SECONDS * file.samplerate)
        gave_up = file.gave_up
    with source.open() as file:
        # Decoded and dropped: a seek is what cannot be trusted in such a file.
        skip(file, (total - wanted) // 2)
        file.careful = True
        return Taken(fill(file, 0, wanted), total, gave_up)


def skip(file: AudioFile, frames: int) -> int:
    """Decode and drop up to `frames`; return how many there were."""
    samples = np.empty(BLOCK_SAMPLES, dtype=np.float32)
    return sum(len(block) for block in read_blocks(file, frames, samples))


def read_blocks(file: AudioFile, frames: int, samples: np.ndarray) -> Iterator[np.ndarray]:
    """Read a file's next frames, block by block.

    Parameters
    ----------
    file : AudioFile
        Stands where to read on.
    frames : int
        How many to read, if there are as many.
    samples : np.ndarray [shape=(n,), float32]
        Where a block is written; the next one overwrites it.

    Yields
    ------
    np.ndarray [shape=(frames, channels), float32]
        A part of `samples`.

    Raises
    ------
    ClipDefect
        `undecodable`, if the decoder gives up in the first block; later that is the audio's end.
    """
    rows = min(len(samples) // file.channels, _CAREFUL_FRAMES if file.careful else len(samples))
    block = samples[: rows * file.channels].reshape(rows, file.channels)
    done = 0
    while done < frames:
        part = block[: frames - done]
        try:
            got = len(file.read(out=part))
        except soundfile.LibsndfileError as error:
            file.gave_up = True
            if done:
                return
            detail = f"the decoder gave up: {sndfile_reason(error)}"
            raise ClipDefect(Status.UNDECODABLE, detail) from error
        yield part[:got]
        done += got
        if got < len(part):
            return


def seek(file: AudioFile, start: int) -> bool:
    """Go to a frame; return whether the file could."""
    try:
        return start == 0 or file.seek(start) == start
    except soundfile.LibsndfileError:
        return False
