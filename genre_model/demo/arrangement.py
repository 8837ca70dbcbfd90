"""A recipe played: bars of chords, bass, melody and drums, mixed into channels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from genre_model.demo.recipes import Recipe
from genre_model.demo.sounds import TIMBRES, drum, note

PATTERNS = {
    "none": {},
    "four_on_floor": {
        "kick": "x...x...x...x...",
        "hat": "..x...x...x...x.",
        "clap": "....x.......x...",
    },
    "boom_bap": {
        "kick": "x......x..x.....",
        "snare": "....x.......x...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "backbeat": {
        "kick": "x.....x.x.......",
        "clap": "....x.......x...",
        "hat": "x.x.x.x.x.x.x.x.",
    },
    "rock": {
        "kick": "x.......x.x.....",
        "snare": "....x.......x...",
        "crash": "x...x...x...x...",
    },
    "hand": {
        "low_hand": "x..x....x..x....",
        "high_hand": "..x..xx...x..x.x",
        "shaker": "x...x...x...x...",
    },
    "shaker": {"shaker": "x.x.x.x.x.x.x.x."},
    "scattered": {
        "crash": "..........x.....",
        "high_hand": "...x.........x..",
        "clap": ".......x........",
    },
}
"""The drums of a bar in sixteenths, by the pattern's name."""

_STEPS = 16
_LEVELS = {"kick": 0.9, "snare": 0.6, "clap": 0.5, "hat": 0.3, "crash": 0.35, "shaker": 0.3}
# Chance leaves out this share of the hits and adds as many elsewhere, so that no two bars agree.
_LOOSE_HITS = 0.08


@dataclass
class Mix:
    """Channels that sounds are added to.

    Attributes
    ----------
    rate : int
        Sample rate [Hz].
    samples : np.ndarray [shape=(channels, samples), float32]
        What has been added so far.
    """

    rate: int
    samples: np.ndarray
    _notes: dict[tuple[str, float, float], np.ndarray] = field(default_factory=dict)

    def add(self, sound: np.ndarray, *, at: float, gain: float, pan: float = 0.0) -> None:
        """Add a sound from a time [s] on; pan from -1 (left) to 1; what lies outside is dropped."""
        start = round(at * self.rate)
        if not 0 <= start < self.samples.shape[1]:
            return
        part = self.samples[:, start : start + len(sound)]
        sides = (1 - pan, 1 + pan) if len(part) == 2 else (1.0,)
        for channel, side in zip(part, sides, strict=True):
            channel += np.float32(gain * side) * sound[: len(channel)]

    def play(
        self, timbre: str, *, frequency: float, at: float, seconds: float, gain: float, pan: float
    ) -> None:
        """Add a note; one that has been played before is not rendered again."""
        key = (timbre, frequency, seconds)
        if key not in self._notes:
            self._notes[key] = note(
                TIMBRES[timbre], frequency=frequency, seconds=seconds, rate=self.rate
            )
        self.add(self._notes[key], at=at, gain=gain, pan=pan)


@dataclass(frozen=True, kw_only=True)
class _Bar:
    """One bar: when it begins [s], how long a beat lasts [s], the degree of its chord."""

    start: float
    beat: float
    degree: int


def arrange(
    recipe: Recipe, *, seconds: float, rate: int, channels: int, rng: np.random.Generator
) -> np.ndarray:
    """Play a recipe.

    Parameters
    ----------
    recipe : Recipe
        What to play.
    seconds : float
        How long.
    rate : int
        Sample rate [Hz].
    channels : int
        1 or 2.
    rng : np.random.Generator
        The source of chance: tempo, key, chords, melody, levels, loose hits.

    Returns
    -------
    np.ndarray [shape=(channels, samples), float32]
        The parts mixed, at no particular level.
    """
    mix = Mix(rate, np.zeros((channels, round(seconds * rate)), dtype=np.float32))
    beat = 60 / rng.uniform(*recipe.tempo)
    tonic = 130.8 * 2 ** (rng.integers(-5, 7) / 12)
    harmony, lead, bass, drums = rng.uniform(0.5, 1.0, size=4)
    bars = list(_bars(recipe, beat=beat, seconds=seconds, rng=rng))
    _play_harmony(mix, recipe, bars, tonic=tonic, gain=0.25 * harmony)
    _play_lead(mix, recipe, bars, tonic=tonic, gain=0.4 * lead, rng=rng)
    _play_bass(mix, recipe, bars, tonic=tonic, gain=0.5 * bass)
    _play_drums(mix, recipe, bars, gain=drums, rng=rng)
    return mix.samples


def _bars(
    recipe: Recipe, *, beat: float, seconds: float, rng: np.random.Generator
) -> Iterator[_Bar]:
    """Yield bars until the time is over; chords follow the recipe's order, with some changes."""
    for number in range(int(np.ceil(seconds / (4 * beat)))):
        place = number if rng.random() < 0.8 else int(rng.integers(len(recipe.chords)))
        degree = recipe.chords[place % len(recipe.chords)]
        yield _Bar(start=4 * beat * number, beat=beat, degree=degree)


def _frequency(recipe: Recipe, tonic: float, degree: int) -> float:
    """Give a scale degree, which may reach over octaves, its frequency [Hz]."""
    octave, step = divmod(degree, len(recipe.scale))
    return float(tonic * 2 ** (octave + recipe.scale[step] / 12))


def _play_harmony(mix: Mix, recipe: Recipe, bars: list[_Bar], *, tonic: float, gain: float) -> None:
    """Play the chords in the recipe's manner."""
    for bar in bars:
        for beats, length, voices in _MANNERS[recipe.harmony]:
            for voice in voices:
                mix.play(
                    recipe.harmony_timbre,
                    frequency=_frequency(recipe, tonic, bar.degree + voice),
                    at=bar.start + beats * bar.beat,
                    seconds=length * bar.beat,
                    gain=gain,
                    pan=-0.3,
                )


# Beat, length [beats] and the voices (scale degrees above the chord's) of each chord in a bar.
_TRIAD = (0, 2, 4)
_MANNERS: dict[str, list[tuple[float, float, tuple[int, ...]]]] = {
    "pad": [(0.0, 4.0, _TRIAD)],
    "drone": [(0.0, 4.0, (0, 4)), (0.0, 2.0, (-7,)), (2.0, 2.0, (-7,))],
    "stabs": [(0.5, 0.4, _TRIAD), (1.5, 0.4, _TRIAD), (2.75, 0.6, _TRIAD)],
    "strum": [(half / 2, 0.48, (0, 4)) for half in range(8)],
    "arpeggio": [(half / 2, 1.5, (voice,)) for half, voice in enumerate((0, 4, 7, 9, 7, 4, 2, 4))],
}


def _play_lead(
    mix: Mix,
    recipe: Recipe,
    bars: list[_Bar],
    *,
    tonic: float,
    gain: float,
    rng: np.random.Generator,
) -> None:
    """Play a melody that walks along the scale, drawn back to the chord."""
    degree = 0
    for bar in bars:
        for half in range(8):
            if rng.random() >= recipe.lead_density:
                continue
            degree = round(0.7 * degree + rng.normal(0, 2))
            mix.play(
                recipe.lead_timbre,
                frequency=_frequency(recipe, tonic, bar.degree + degree) * 2.0**recipe.lead_octave,
                at=bar.start + half / 2 * bar.beat,
                seconds=float(rng.choice([0.5, 1.0, 1.5])) * bar.beat,
                gain=gain,
                pan=0.3,
            )


def _play_bass(mix: Mix, recipe: Recipe, bars: list[_Bar], *, tonic: float, gain: float) -> None:
    """Play the chords' roots an octave lower."""
    beats = {
        "none": [],
        "roots": [(0.0, 1.8), (2.5, 1.2)],
        "eighths": [(half / 2, 0.48) for half in range(8)],
        "offbeat": [(quarter + 0.5, 0.45) for quarter in range(4)],
    }[recipe.bass]
    for bar in bars:
        for start, length in beats:
            mix.play(
                recipe.bass_timbre,
                frequency=_frequency(recipe, tonic, bar.degree) / 2,
                at=bar.start + start * bar.beat,
                seconds=length * bar.beat,
                gain=gain,
                pan=0.0,
            )


def _play_drums(
    mix: Mix, recipe: Recipe, bars: list[_Bar], *, gain: float, rng: np.random.Generator
) -> None:
    """Play the pattern, one tuning of each drum a track, hits of varying force."""
    for name, pattern in PATTERNS[recipe.drums].items():
        sound = drum(name, rate=mix.rate, rng=rng)
        planned = np.array([step == "x" for step in pattern])
        loose = rng.random((len(bars), _STEPS)) < _LOOSE_HITS
        stray = rng.random((len(bars), _STEPS)) < planned.mean()
        hits = np.where(loose, stray, planned)
        for bar, step in np.argwhere(hits):
            mix.add(
                sound,
                at=bars[bar].start + step / 4 * bars[bar].beat,
                gain=gain * _LEVELS.get(name, 0.6) * rng.uniform(0.6, 1.0),
            )
