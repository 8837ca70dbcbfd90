"""Errors of this room: each says in one sentence what was given, its value and the remedy."""


class GenreModelError(Exception):
    """Root of all errors that `genre_model` raises on purpose."""


class InvalidSpec(GenreModelError, ValueError):  # noqa: N818 - reads as a sentence
    """A specification holds a value, a name or a key that is not allowed."""


class CatalogueError(GenreModelError, ValueError):
    """A table of tracks is not one, or lacks what a catalogue needs."""


class ModelError(GenreModelError, ValueError):
    """A model cannot be opened, or does not fit what it is asked to do."""


class AudioError(GenreModelError, ValueError):
    """Audio was asked for in a way that no decoder can serve."""


class DivergedError(GenreModelError, ArithmeticError):
    """A training whose loss is no number any more."""
