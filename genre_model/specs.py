"""What all specifications share: they are checked when made, and have a digest."""

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, ClassVar, Self

from genre_model.errors import InvalidSpec

FEATURES_VERSION = 2
"""Raised whenever the code gives other feature values for the same frontend."""

TRAINING_VERSION = 1
"""Raised whenever the code trains another model from the same specs and rows."""

SPLITS = ("training", "validation", "test")

_LIKE = 0.5
"""How alike two names are of which one may be meant by the other."""

LEAST_GENRES = 2
"""That can be told apart."""

SPLIT_POLICIES = ("official", "components", "random")
"""How a catalogue's splits are used: as they are, without training tracks that hang together with
others by artists and albums, or dealt anew at random."""
LEAKY_POLICIES = ("random",)
"""Those whose figures say little about music that a model does not know."""


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.0) -> str:
    """Return the known name that is most like one; '' if none is like it by `cutoff` [0 to 1]."""
    found = difflib.get_close_matches(name.lower(), list(known), n=1, cutoff=cutoff)
    return found[0] if found else ""


def nearest_in_words(name: object, known: Iterable[str]) -> str:
    """Say which name was meant, to go behind those that there are; nothing if none is like it.

    Examples
    --------
    >>> nearest_in_words("adamm", ("adam", "sgd"))
    '; the nearest is adam'
    """
    found = nearest(name, known, cutoff=_LIKE) if isinstance(name, str) else ""
    return f"; the nearest is {found}" if found else ""


def policy_in_words(policy: str) -> str:
    """Say a split policy so that nobody takes a leaky one for another."""
    return f"{policy}, leaky" if policy in LEAKY_POLICIES else policy


@dataclass(frozen=True, kw_only=True)
class Spec:
    """What all specifications share: a strict form as a mapping, and a digest."""

    # Without this Prefect drops unknown keys of a dataclass parameter in silence.
    __pydantic_config__: ClassVar[dict[str, Any]] = {"extra": "forbid"}
    _version: ClassVar[int] = 1
    _called: ClassVar[str] = ""
    """What it is called in sentences: a recipe's table; the class's name by default."""

    def to_dict(self) -> dict[str, object]:
        """Return the fields as a mapping of plain values, ready for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, mapping: Mapping[str, Any]) -> Self:
        """Make a spec from a mapping as `to_dict` returns it; missing keys take their default.

        Parameters
        ----------
        mapping : Mapping
            Field names and values.

        Returns
        -------
        Self

        Raises
        ------
        InvalidSpec
            If a key is not a field, a field without a default is missing, or a value is refused.
        """
        known = [each.name for each in fields(cls)]
        if unknown := sorted(set(mapping) - set(known)):
            raise InvalidSpec(
                f"{cls.__name__} has no field {', '.join(map(repr, unknown))}; "
                f"its fields are {', '.join(known)}{nearest_in_words(unknown[0], known)}"
            )
        try:
            return cls(**mapping)
        except TypeError as error:
            raise InvalidSpec(f"{cls.__name__} cannot be made of {dict(mapping)!r}: {error}") from (
                error
            )

    def digest(self) -> str:
        """Return the sha256 (64 hex digits) of the fields and of the version of the code."""
        content = {"spec": type(self).__name__, "version": self._version, **self._identity()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def changed(self) -> list[str]:
        """Name the fields that are not at their default."""
        return [each.name for each in fields(self) if getattr(self, each.name) != each.default]

    def _identity(self) -> dict[str, object]:
        """Return the fields that make two specs different."""
        return self.to_dict()

    @classmethod
    def _name_of(cls, name: str) -> str:
        """Return what a field is called in sentences."""
        return f"{cls._called or cls.__name__}.{name}"

    def _whole(self, name: str, low: int, high: int) -> None:
        """Refuse the field `name` unless it is a whole number in [low, high]."""
        value = getattr(self, name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            raise InvalidSpec(
                f"{self._name_of(name)} is {value!r}; "
                f"it must be a whole number from {low} to {high}"
            )

    def _real(self, name: str, low: float, high: float) -> None:
        """Refuse the field `name` unless it is a number in [low, high]; store it as a float."""
        value = getattr(self, name)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or not low <= value <= high:
            raise InvalidSpec(
                f"{self._name_of(name)} is {value!r}; it must be a number from {low:g} to {high:g}"
            )
        # 10000 and 10000.0 are one spec, so they must have one digest.
        object.__setattr__(self, name, float(value))

    def _one_of(self, name: str, allowed: tuple[str, ...]) -> None:
        """Refuse the field `name` unless it is one of the `allowed` words."""
        value = getattr(self, name)
        if value not in allowed:
            raise InvalidSpec(
                f"{self._name_of(name)} is {value!r}; it must be one of {', '.join(allowed)}"
                f"{nearest_in_words(value, allowed)}"
            )
