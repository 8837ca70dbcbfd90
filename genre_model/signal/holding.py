"""What a file holds: all of its audio, also where its decoder would stop or not begin.

libsndfile plays an MP3 up to the first hole, a joined file's first part, and nothing that does not
begin as it expects. The parts that it can play are found here, and handed to it one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from genre_model.signal.audio import AudioFile, Content, Source
from genre_model.signal.containers import links, mpeg, mpeg_excerpt, wav
from genre_model.signal.excerpt import Excerpt

Cut = Callable[[float, float], Iterator[Excerpt]]
"""Takes (start, length), both in seconds of all that can be played, and cuts that out."""

# A decoder's guess of an MP3's length may be this short of it without a loss that one hears.
_FRAMES_SHORT = 2


@dataclass(frozen=True)
class Holding:
    """The audio of a file.

    Parameters
    ----------
    seconds : float [s]
        How long all that can be played is.
    cut : Cut
        Cuts a part of it out.
    samples : int | None
        How many the file has, where its decoder plays it whole by itself; else None.
    lost_bytes : int
        Bytes in which there may be audio that cannot be played.
    lost_seconds : float [s]
        How long that would be.
    """

    seconds: float
    cut: Cut
    samples: int | None = None
    lost_bytes: int = 0
    lost_seconds: float = 0.0


def holding_of(source: Source, file: AudioFile | None) -> Holding | None:
    """Look into a file.

    Parameters
    ----------
    source : Source
        The file.
    file : AudioFile | None
        As libsndfile has opened it; None if it has not.

    Returns
    -------
    Holding | None
        None if there is no more to know than libsndfile says.
    """
    if file is None:
        content = source.content()
        return _of_mpeg(content, None) or _of_links(content, None)
    if file.format == "MP3":
        return _of_mpeg(source.content(), file)
    if file.format in ("OGG", "FLAC"):
        return _of_links(source.content(), file)
    if file.format in ("WAV", "WAVEX") and not file.frames:
        return _of_wav(source.content())
    return None


def _of_mpeg(content: Content, file: AudioFile | None) -> Holding | None:
    audio = mpeg.scan(content)
    if audio is None:
        return None

    def cut(start_s: float, seconds: float) -> Iterator[Excerpt]:
        return mpeg_excerpt.excerpts(content, audio, start_s=start_s, seconds=seconds)

    return Holding(
        audio.seconds,
        cut,
        samples=_played_whole(audio, file),
        lost_bytes=audio.lost_bytes,
        lost_seconds=audio.lost_seconds,
    )


def _played_whole(audio: mpeg.Mpeg, file: AudioFile | None) -> int | None:
    """Return how many samples libsndfile plays of a file, if it plays all."""
    if file is None or not audio.is_plain:
        return None
    if audio.says_frames:
        return int(file.frames)
    spare = _FRAMES_SHORT * audio.stretches[0].kind.samples
    return min(audio.samples, file.frames) if file.frames >= audio.samples - spare else None


def _of_links(content: Content, file: AudioFile | None) -> Holding | None:
    found = links.find(content)
    if file is not None and len(found.places) < 2 and not found.lost_bytes:
        return None
    return _one_by_one(
        [content[start:end] for start, end in found.places], lost_bytes=found.lost_bytes
    )


def _of_wav(content: Content) -> Holding | None:
    repaired = wav.with_data_size(content)
    return None if repaired is None else _one_by_one([repaired])


def _one_by_one(files: list[bytes], *, lost_bytes: int = 0) -> Holding | None:
    """Hold several files as one; what does not open is left out, and counted as lost."""
    playable = [Excerpt.of_file(content) for content in files]
    whole = [excerpt for excerpt in playable if excerpt is not None]
    if not whole:
        return None
    seconds = sum(excerpt.seconds for excerpt in whole)
    playable_bytes = sum(len(excerpt.content) for excerpt in whole)
    lost = sum(map(len, files)) - playable_bytes + lost_bytes
    return Holding(
        seconds,
        lambda start_s, length: _parts(whole, start_s, length),
        lost_bytes=lost,
        lost_seconds=seconds * lost / playable_bytes,
    )


def _parts(files: list[Excerpt], start_s: float, seconds: float) -> Iterator[Excerpt]:
    begins = 0.0
    for file in files:
        first = max(0, round((start_s - begins) * file.rate))
        last = round(min(start_s + seconds - begins, file.seconds) * file.rate)
        if first < last:
            yield file.part(first, last - first)
        begins += file.seconds
