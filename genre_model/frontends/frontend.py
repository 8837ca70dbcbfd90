"""What every kind of frontend has: a row's shape and names, a key, an extractor of rows."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Protocol

from genre_model.errors import InvalidSpec
from genre_model.frontends.cutting import Cutting
from genre_model.signal.mel_spec import MelSpec
from genre_model.specs import Spec

if TYPE_CHECKING:
    import numpy as np

    from genre_model.frontends.clip import ClipWindows
    from genre_model.signal.audio import AudioSource
    from genre_model.signal.filters import MelBank
    from genre_model.signal.segments import Heard

NAME = "[A-Za-z0-9_][A-Za-z0-9_+-]*"
"""What a frontend may be called, as a regular expression: the name becomes part of a folder's."""


@dataclass(frozen=True, kw_only=True)
class Frontend(Spec, ABC):
    """How a clip becomes one row of an array: ``array[row, window, ...]``.

    Parameters
    ----------
    kind : str
        The word under which `genre_model.frontends.KINDS` has its class.
    name : str
        What people call it; no part of the digest.

    Attributes
    ----------
    array : str
        Name of the array that holds the rows.
    dimensions : tuple[str, ...]
        Names of the dimensions behind `row`; the first is `window`.
    libraries : tuple[str, ...]
        What its numbers depend on, beside what those of all frontends do.
    """

    array: ClassVar[str]
    dimensions: ClassVar[tuple[str, ...]]
    libraries: ClassVar[tuple[str, ...]] = ()

    kind: str
    name: str

    @property
    def key(self) -> str:
        """Return the name of this frontend's array: its name and 8 hex digits of its digest."""
        return f"{self.name}-{self.digest()[:8]}"

    @property
    @abstractmethod
    def row_shape(self) -> tuple[int, ...]:
        """Return the shape of one clip's features, one number for each of `dimensions`."""

    @property
    def windows(self) -> int:
        """Return how many windows a row has."""
        return self.row_shape[0]

    @property
    def files(self) -> tuple[str, ...]:
        """Return the names of the files that an extractor must be `given`; none for most."""
        return ()

    @property
    @abstractmethod
    def cutting(self) -> Cutting:
        """Return where a clip's windows lie."""

    @property
    def window_seconds(self) -> float:
        """Return the time from one window's start to the next, in seconds."""
        return self.cutting.window_seconds

    @property
    def window_length_seconds(self) -> float:
        """Return the time that one window reaches over, in seconds."""
        return self.cutting.window_length_seconds

    @property
    @abstractmethod
    def mel(self) -> MelSpec:
        """Return the mel spectrum beneath the values."""

    def build(self) -> Extractor:
        """Make the extractor; imports librosa (5 s), which those it is sent to do without."""
        from genre_model.signal.filters import MelBank

        return self.with_filters(MelBank.build(self.mel))

    @abstractmethod
    def with_filters(self, bank: MelBank) -> Extractor:
        """Make the extractor of filters that were made for `mel`."""

    def _check_windows(self, *, least_frames: int = 1) -> None:
        """Refuse fields of a `Cutting` that are out of range, or do not fit into a clip."""
        self._whole("windows", 1, 10_000)
        self._whole("window_frames", least_frames, 1_000_000)
        self._whole("window_stride", 1, 1_000_000)
        self._real("clip_seconds", 0.01, 3_600.0)
        self._real("longest_clip_seconds", self.cutting.clip_seconds, 3_600.0)
        have, needed = self.cutting.frames_of_a_clip, self.cutting.frames_of(self.windows)
        if have < needed:
            raise InvalidSpec(
                f"{type(self).__name__}.windows is {self.windows}: that takes {needed} frames, "
                f"but clip_seconds of {self.cutting.clip_seconds:g} has {have}; "
                "take fewer or shorter windows"
            )

    def _check_name(self) -> None:
        if not isinstance(self.name, str) or not re.fullmatch(NAME, self.name):
            raise InvalidSpec(
                f"{type(self).__name__}.name is {self.name!r}; "
                "it becomes part of a folder's name, so use letters, digits, _, + and -"
            )

    def _identity(self) -> dict[str, object]:
        return {key: value for key, value in self.to_dict().items() if key != "name"}


class Extractor(Protocol):
    """Makes rows of clips, one clip after another; one extractor a thread.

    It pickles to what a worker needs, and imports no librosa where it is sent.
    """

    @property
    def spec(self) -> Frontend:
        """Return the frontend that built it."""

    @property
    def bank(self) -> MelBank:
        """Return its mel filters."""

    def given(self, weights: Sequence[bytes]) -> Extractor:
        """Return an extractor that works: one that needs weights does not without.

        Parameters
        ----------
        weights : Sequence[bytes]
            The content of each file of `spec.files`.

        Raises
        ------
        ModelError
            If one is another than that.
        """

    def prepare(self) -> None:
        """Open what it works with, which the first clip would do else.

        Raises
        ------
        ModelError
            If that does not open here.
        """

    def windows(self, audio: AudioSource) -> ClipWindows:
        """Turn one clip into windows, or say why there are none.

        Parameters
        ----------
        audio : bytes, str or os.PathLike
            The content of an audio file of any format that libsndfile reads, or its path.

        Returns
        -------
        ClipWindows
            Whatever the audio is like; `status` says what became of it.

        Raises
        ------
        AudioError
            If `audio` is neither bytes nor a path.
        ModelError
            If a net fails on the clip.
        """

    def long_windows(
        self, audio: AudioSource, heard: Heard | None = None
    ) -> Iterator[tuple[float, np.ndarray]]:
        """Turn a whole file of any length into windows, one clip's worth at a time.

        The windows follow each other without a gap, or as far apart as the frontend has them; what
        is left at the end and is no whole window is dropped. Memory does not grow with the file.

        Parameters
        ----------
        audio : bytes, str or os.PathLike
            The content of an audio file of any format that libsndfile reads, or its path.
        heard : Heard, optional
            Is filled in: how long and how loud what was decoded is, and what could not be.

        Yields
        ------
        tuple[float, np.ndarray]
            Start in seconds of the first of some windows, and the windows (float16 [n, ...], n at
            most `spec.windows`): window w starts ``w * spec.window_seconds`` later.

        Raises
        ------
        ClipDefect
            `missing`, `unreadable`, `empty`, `undecodable`, or `short` if there is no whole window.
        """
