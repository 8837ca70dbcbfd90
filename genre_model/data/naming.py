"""What a data set is called: after its folder, in letters that fit a path and an address."""

from __future__ import annotations

import hashlib
import re
import unicodedata

from genre_model.data.built_in import BUILT_IN
from genre_model.data.drawing.path_hash import composed

_LONGEST_NAME = 40
_TAKEN = ("fma", BUILT_IN)


def data_set_name(folder: str) -> str:
    """Name the data set of a folder: `GTZAN (genres)` is `gtzan-genres`.

    Parameters
    ----------
    folder : str
        The last part of the folder's address.

    Returns
    -------
    str
        Lower-case letters, digits and dashes; a name made of a hash where the folder's has none
        of them, and never `fma` or `demo`.
    """
    plain = unicodedata.normalize("NFKD", folder).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:_LONGEST_NAME].strip("-")
    if not name:
        return f"set-{hashlib.sha256(composed(folder).encode('utf-8', 'replace')).hexdigest()[:8]}"
    return f"{name}-folders" if name in _TAKEN else name
