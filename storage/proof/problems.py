"""What can be wrong with a thing in a store, what that costs, and what mends it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Literal

Kind = Literal[
    "store description",
    "catalogue damaged",
    "catalogue missing",
    "shard missing",
    "shard size",
    "shard bytes",
    "shard orphaned",
    "manifest missing",
    "manifest damaged",
    "manifest orphaned",
    "plan damaged",
    "plan missing",
    "rows table",
    "quarantine table",
    "array metadata",
    "group metadata",
    "model damaged",
    "model not sealed",
    "evaluation damaged",
    "champion damaged",
    "champion missing",
    "predictions damaged",
    "sweep damaged",
    "backbone damaged",
    "tags damaged",
    "unreadable",
]

FEATURES = "genre features --verify"
TRAIN = "genre train"
EVALUATE = "genre evaluate"

_SHARD = "the features of its tracks cannot be read", FEATURES
_MANIFEST = "what its shard holds is not proven", FEATURES
_ORPHAN = "space; nothing reads it", "delete it"
_METADATA = "other Zarr readers see the array wrongly", FEATURES
_ABOUT: Mapping[Kind, tuple[str, str]] = {
    "store description": ("no command but this one takes it for a store", FEATURES),
    "catalogue damaged": (
        "nothing can be trained or evaluated with it",
        f"{FEATURES}, with its --data",
    ),
    "catalogue missing": (
        "the model that was trained with it cannot be evaluated again",
        f"{FEATURES}, with its --data",
    ),
    "shard missing": _SHARD,
    "shard size": _SHARD,
    "shard bytes": _SHARD,
    "shard orphaned": _ORPHAN,
    "manifest missing": _MANIFEST,
    "manifest damaged": _MANIFEST,
    "manifest orphaned": _ORPHAN,
    "plan damaged": ("nobody knows whose the rows are", FEATURES),
    "plan missing": ("nobody knows whose the rows are", FEATURES),
    "rows table": ("reading it again costs a request a shard", FEATURES),
    "quarantine table": ("the list of refused tracks; rows.parquet has them too", FEATURES),
    "array metadata": _METADATA,
    "group metadata": ("what the numbers mean is not known", FEATURES),
    "model damaged": (
        "what it predicts is not what it was trained to",
        f"{TRAIN}, with its options",
    ),
    "model not sealed": ("damage to it would not be seen", f"{TRAIN}, with its options"),
    "evaluation damaged": ("its figures are not proven, and are not shown", EVALUATE),
    "champion damaged": ("`genre predict` does not know which model to take", EVALUATE),
    "champion missing": ("`genre predict` does not know which model to take", EVALUATE),
    "predictions damaged": (
        "what was predicted there is asked of the model again",
        "`genre predict` of that folder",
    ),
    "sweep damaged": (
        "what its trainings came to is not listed; the models tell it all the same",
        "`genre sweep`, with its options",
    ),
    "backbone damaged": (
        "no features can be made with it",
        "`genre backbone add`, as it was added before",
    ),
    "tags damaged": ("the files' tags are read again", "genre features, with its --data"),
    "unreadable": ("it is left out", "see its sentence"),
}


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing that is not as it was written.

    Attributes
    ----------
    what : str
        One of `Kind`.
    detail : str
        A sentence.
    path : str
        Address of the file or object.
    shard : int | None
        The shard it concerns.
    how : str
        The command that mends it, where the kind alone does not tell.
    """

    what: Kind
    detail: str
    path: str
    shard: int | None = None
    how: str = ""

    @property
    def sentence(self) -> str:
        """Say what is wrong with what."""
        return f"{self.path}: {self.what}. {self.detail}"

    @property
    def costs(self) -> str:
        """Say what it costs as long as it stays so."""
        return _ABOUT[self.what][0]

    @property
    def mend(self) -> str:
        """Name the command that mends it, or what to do."""
        return self.how or _ABOUT[self.what][1]

    def to_dict(self) -> dict[str, object]:
        """Give plain JSON values."""
        own = {name: value for name, value in asdict(self).items() if name != "how"}
        return {**own, "costs": self.costs, "mend": self.mend}
