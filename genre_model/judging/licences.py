"""What licences forbid that must be said beside a model's numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_NOT_COMMERCIAL = re.compile(
    r"""
    (?<![^\W_]) NC (?![^\W_])                # of CC BY-NC, in whatever spelling
    | non [-_\s]? commercial | not \s for \s commercial | no \s commercial
    | (?:academic|research|educational|personal) (?:[-_\s](?:use|purposes))? [-_\s] only
    | only \s for \s (?:academic|research|educational|personal)
    """,
    re.I | re.X,
)


def forbids_commercial_use(licence: str) -> bool:
    """Whether a licence's text says that it is not for commercial use.

    Examples
    --------
    >>> [forbids_commercial_use(each) for each in ("CC BY-NC-SA 4.0", "ISC", "non-commercial")]
    [True, False, True]
    """
    return _NOT_COMMERCIAL.search(licence) is not None


def licence_remarks(
    nets: Sequence[Mapping[str, str]], tracks: Mapping[str, int]
) -> tuple[str, ...]:
    """Say in sentences what forbids commercial use of a model.

    Parameters
    ----------
    nets : Sequence[Mapping]
        Pretrained nets that it is made of: `name`, `licence`.
    tracks : Mapping[str, int]
        Licence -> tracks of the catalogue.
    """
    said = [
        f"The pretrained net {each.get('name')} is under {each.get('licence')}, which forbids "
        "commercial use: neither this model nor its features may be used commercially."
        for each in nets
        if forbids_commercial_use(str(each.get("licence", "")))
    ]
    count = sum(number for name, number in tracks.items() if forbids_commercial_use(name))
    if count:
        said.append(
            f"The licences of {count:,} tracks of the catalogue forbid commercial use; whoever "
            "publishes the model must look at them."
        )
    return tuple(said)
