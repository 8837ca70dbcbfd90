"""A part of a file's audio, to be decoded on its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import numpy as np

from genre_model.signal.audio import AudioFile, MemoryFile, Source
from genre_model.signal.clips import BLOCK_SAMPLES, skip
from genre_model.signal.downmix import Downmix
from genre_model.signal.status import ClipDefect


@dataclass(frozen=True)
class Excerpt:
    """A small audio file, of which the first samples are only there to begin with.

    Parameters
    ----------
    content : bytes
        The file.
    rate : int [Hz]
        Its sample rate.
    lead : int [samples]
        How many to leave out.
    samples : int
        How many to read behind them.
    """

    content: bytes = field(repr=False)
    rate: int
    lead: int
    samples: int

    @classmethod
    def of_file(cls, content: bytes) -> Excerpt | None:
        """Take a file whole, by its own word; None if it does not open."""
        try:
            with Source(content) as source, source.open() as file:
                return cls(content, file.samplerate, 0, file.frames)
        except ClipDefect:
            return None

    @property
    def seconds(self) -> float:
        """Return how long it plays."""
        return self.samples / self.rate

    def part(self, first: int, samples: int) -> Excerpt:
        """Return the excerpt that begins `first` samples later and has `samples`."""
        return replace(self, lead=self.lead + first, samples=samples)


def played(excerpts: Iterable[Excerpt], downmix: Downmix) -> Iterator[tuple[int, np.ndarray]]:
    """Decode excerpts one after another.

    Parameters
    ----------
    excerpts : iterable of Excerpt
    downmix : Downmix
        Averages the channels, and measures what comes by.

    Yields
    ------
    tuple[int, np.ndarray]
        Sample rate, and a piece of the channels' mean (float32), valid until the next one. Where
        the decoder gives up, the rest of that excerpt is missing.
    """
    memory = MemoryFile()
    mean = np.empty(BLOCK_SAMPLES, dtype=np.float32)
    for excerpt in excerpts:
        with Source(excerpt.content, memory=memory) as source:
            try:
                file = source.open()
            except ClipDefect:
                continue
            with file:
                file.careful = True
                yield from _played(file, excerpt, downmix, mean)


def _played(
    file: AudioFile, excerpt: Excerpt, downmix: Downmix, mean: np.ndarray
) -> Iterator[tuple[int, np.ndarray]]:
    left = excerpt.samples
    try:
        skip(file, excerpt.lead)
        while left:
            got = downmix.read_on(file, mean[: min(left, len(mean))])
            if not got:
                return
            yield excerpt.rate, mean[:got]
            left -= got
    except ClipDefect:
        if not file.gave_up:
            raise
