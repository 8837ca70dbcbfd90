"""What a model says about one file; importing it imports no numpy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from genre_model.signal.status import Status

if TYPE_CHECKING:
    from genre_model.hearing.overview import Overview


class Moment(TypedDict):
    """One window of a track: `start` and `end` in seconds, its most probable `genre` and all."""

    start: float
    end: float
    genre: str
    probability: float
    probabilities: dict[str, float]


class Passage(TypedDict):
    """A stretch of one genre: `start` and `end` in seconds, and its mean `probability` there."""

    start: float
    end: float
    genre: str
    probability: float


@dataclass(frozen=True)
class Prediction:
    """What a model says about one file.

    Parameters
    ----------
    path : str
        The file.
    status : Status
        `ok`, `partial` (fewer windows than a training clip has, or not all of the file could be
        read), or why there is no genre.
    detail : str
        One sentence for people; empty for `ok`.
    genre : str | None
        The most probable of all; None if the file gave no window.
    probability : float | None [0 to 1]
        Of that genre.
    sure : bool | None
        Whether that is at least the model's threshold; None if the model has none, or no genre.
    probabilities : dict[str, float]
        Of every genre over all windows, joined by the model's rule (mean probability, as a rule),
        most probable first; empty if there is no genre.
    windows : int
        How many windows the file gave.
    seconds : float [s]
        How much of the file was heard.
    passages : list of Passage
        The file from its first window to its last, each genre as long as it stays.
    timeline : list of Moment
        One entry a window, in the order of time.
    overview : Overview, optional
        The file's mel picture, where it was asked for; no part of `to_dict`.
    """

    path: str
    status: Status
    detail: str = ""
    genre: str | None = None
    probability: float | None = None
    sure: bool | None = None
    probabilities: dict[str, float] = field(default_factory=dict)
    windows: int = 0
    seconds: float = 0.0
    passages: list[Passage] = field(default_factory=list)
    timeline: list[Moment] = field(default_factory=list)
    overview: Overview | None = field(default=None, repr=False, compare=False)

    @property
    def runner_up(self) -> tuple[str, float] | None:
        """Return the second most probable genre and its probability; None if there is none."""
        ranked = list(self.probabilities.items())
        return ranked[1] if len(ranked) > 1 else None

    def to_dict(self) -> dict[str, object]:
        """Return everything but the picture as plain values, ready for JSON."""
        found = {name: value for name, value in vars(self).items() if name != "overview"}
        return {**found, "status": str(self.status)}

    @property
    def passages_in_words(self) -> str:
        """Return the passages for a line, as `0:00–4:10 Electronic, 4:10–7:55 Hip-Hop`."""
        return ", ".join(
            f"{clock(each['start'])}–{clock(each['end'])} {each['genre']}" for each in self.passages
        )


def clock(seconds: float) -> str:
    """Write a time as people read it.

    Examples
    --------
    >>> [clock(each) for each in (0, 250.4, 7384)]
    ['0:00', '4:10', '2:03:04']
    """
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
