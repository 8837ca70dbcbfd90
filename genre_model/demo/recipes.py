"""What makes each genre of the built-in data set: tempo, scale, parts, timbres, drums."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

_MAJOR = (0.0, 2.0, 4.0, 5.0, 7.0, 9.0, 11.0)
_MINOR = (0.0, 2.0, 3.0, 5.0, 7.0, 8.0, 10.0)
_DORIAN = (0.0, 2.0, 3.0, 5.0, 7.0, 9.0, 10.0)
_HIJAZ = (0.0, 1.0, 4.0, 5.0, 7.0, 8.0, 10.0)
# Six equal steps an octave, one of them off by a quarter tone: no home in any of the others.
_ODD_STEPS = (0.0, 1.5, 4.0, 6.0, 8.0, 10.5)


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """One genre's music.

    Attributes
    ----------
    tempo : tuple of float
        Slowest and fastest [beats/min].
    scale : tuple of float
        Steps above the tonic [semitones].
    chords : tuple of int
        Scale degrees, from 0, that chords stand on.
    harmony : str
        How chords are played: `pad`, `strum`, `stabs`, `arpeggio` or `drone`.
    harmony_timbre, lead_timbre, bass_timbre : str
        Names in `genre_model.demo.sounds.TIMBRES`.
    lead_density : float
        Melody notes a half beat, from 0 to 1.
    lead_octave : int
        Octaves of the melody above the chords.
    bass : str
        How the bass moves: `none`, `roots`, `eighths` or `offbeat`.
    drums : str
        A pattern in `genre_model.demo.arrangement.PATTERNS`.
    reverb : float
        Time constant of the room [s].
    """

    tempo: tuple[float, float]
    scale: tuple[float, ...]
    chords: tuple[int, ...]
    harmony: str
    harmony_timbre: str
    lead_timbre: str
    lead_density: float
    lead_octave: int = 1
    bass: str
    bass_timbre: str = "round"
    drums: str
    reverb: float = 0.2


RECIPES = {
    "Electronic": Recipe(
        tempo=(116, 138),
        scale=_MINOR,
        chords=(0, 5, 2, 6),
        harmony="stabs",
        harmony_timbre="saw",
        lead_timbre="square",
        lead_density=0.5,
        bass="offbeat",
        bass_timbre="saw",
        drums="four_on_floor",
        reverb=0.2,
    ),
    "Experimental": Recipe(
        tempo=(50, 120),
        scale=_ODD_STEPS,
        chords=(0, 1, 3, 4),
        harmony="drone",
        harmony_timbre="bell",
        lead_timbre="bell",
        lead_density=0.2,
        lead_octave=2,
        bass="none",
        drums="scattered",
        reverb=0.8,
    ),
    "Folk": Recipe(
        tempo=(80, 116),
        scale=_MAJOR,
        chords=(0, 3, 4, 5),
        harmony="arpeggio",
        harmony_timbre="pluck",
        lead_timbre="reed",
        lead_density=0.4,
        bass="none",
        drums="shaker",
        reverb=0.15,
    ),
    "Hip-Hop": Recipe(
        tempo=(78, 98),
        scale=_MINOR,
        chords=(0, 3, 5),
        harmony="stabs",
        harmony_timbre="piano",
        lead_timbre="square",
        lead_density=0.15,
        bass="roots",
        bass_timbre="sub",
        drums="boom_bap",
        reverb=0.1,
    ),
    "Instrumental": Recipe(
        tempo=(60, 90),
        scale=_DORIAN,
        chords=(0, 3, 4, 6),
        harmony="pad",
        harmony_timbre="strings",
        lead_timbre="piano",
        lead_density=0.35,
        bass="none",
        drums="none",
        reverb=0.6,
    ),
    "International": Recipe(
        tempo=(92, 126),
        scale=_HIJAZ,
        chords=(0, 1, 0, 6),
        harmony="drone",
        harmony_timbre="reed",
        lead_timbre="reed",
        lead_density=0.7,
        bass="none",
        drums="hand",
        reverb=0.25,
    ),
    "Pop": Recipe(
        tempo=(100, 126),
        scale=_MAJOR,
        chords=(0, 4, 5, 3),
        harmony="pad",
        harmony_timbre="saw",
        lead_timbre="voice",
        lead_density=0.55,
        bass="eighths",
        drums="backbeat",
        reverb=0.3,
    ),
    "Rock": Recipe(
        tempo=(108, 150),
        scale=_MINOR,
        chords=(0, 5, 6, 3),
        harmony="strum",
        harmony_timbre="distorted",
        lead_timbre="distorted",
        lead_density=0.3,
        bass="eighths",
        drums="rock",
        reverb=0.2,
    ),
}
"""The recipe of each genre, by FMA's name."""

GENRES = tuple(sorted(RECIPES))
"""The genres of the built-in data set, sorted."""

# What a track may take from another genre, as one thing.
_INGREDIENTS = (
    ("tempo",),
    ("scale", "chords"),
    ("harmony", "harmony_timbre"),
    ("lead_timbre", "lead_density", "lead_octave"),
    ("bass", "bass_timbre"),
    ("drums",),
    ("reverb",),
)


def borrow(recipe: Recipe, *, share: float, rng: np.random.Generator) -> Recipe:
    """Replace some of a recipe's ingredients by those of genres drawn at random.

    Genres overlap as they do in music: no single ingredient tells one from the others for certain.

    Parameters
    ----------
    recipe : Recipe
        What the genre prescribes.
    share : float
        Probability with which each ingredient is replaced.
    rng : np.random.Generator
        The source of chance.

    Returns
    -------
    Recipe
        The changed recipe.
    """
    taken: dict[str, object] = {}
    for ingredient in _INGREDIENTS:
        other = RECIPES[str(rng.choice(GENRES))]
        if rng.random() < share:
            taken |= {field: getattr(other, field) for field in ingredient}
    return replace(recipe, **taken)  # type: ignore[arg-type]
