"""The numbers of a `.keras` file: plain HDF5 arrays that lie in it whole, and are finite."""

from __future__ import annotations

import io

import h5py
import numpy as np

from genre_model.errors import ModelError

MOST_OBJECTS = 20_000


def check_weights(data: bytes) -> None:
    """Refuse weights that are not plain numbers in this very file.

    HDF5 can name other files (external links and storage, virtual data sets), and arrays that are
    larger than what is stored of them; Keras writes none of these.

    Parameters
    ----------
    data : bytes
        The file's model.weights.h5.

    Raises
    ------
    ModelError
        The text says what is refused, as the end of a sentence.
    """
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            _check_group(file, room=len(data))
    except ModelError:
        raise
    # all that h5py makes of a damaged file
    except (OSError, RuntimeError, LookupError, TypeError, AttributeError, ValueError) as error:
        reason = str(error).strip("'\"").partition("\n")[0]
        raise ModelError(f"has weights that are no whole HDF5 file ({reason})") from error


def _check_group(file: h5py.File, *, room: int) -> None:
    open_groups, seen = [file["/"]], set[int]()
    while open_groups:
        group = open_groups.pop()
        for name in group:
            link = group.get(name, getlink=True)
            if not isinstance(link, h5py.HardLink):
                raise ModelError(f"has weights that are elsewhere ({type(link).__name__} {name!r})")
            item = group[name]
            place = h5py.h5o.get_info(item.id).addr
            if place in seen or len(seen) == MOST_OBJECTS:
                raise ModelError(
                    f"has weights that are there twice, or more than {MOST_OBJECTS:,} arrays and "
                    f"groups of them ({item.name[:80]})"
                )
            seen.add(place)
            if isinstance(item, h5py.Group):
                open_groups.append(item)
            else:
                room -= _checked_bytes(item, room)


def _checked_bytes(item: object, room: int) -> int:
    """Check one array, and return its bytes."""
    if not isinstance(item, h5py.Dataset) or item.dtype.kind not in "fiu":
        raise ModelError(f"has weights that are no numbers ({item!r})")
    if item.external or item.is_virtual:
        raise ModelError(f"has weights that are elsewhere ({item.name})")
    if item.chunks is not None:
        raise ModelError(f"has weights that are packed ({item.name}), which Keras does not do")
    stored = item.id.get_storage_size()
    if item.size is None or stored != item.size * item.dtype.itemsize or stored > room:
        raise ModelError(
            f"has weights of the shape {item.shape} ({item.name}), of which {stored:,} bytes are "
            "there"
        )
    if not np.isfinite(item[()]).all():
        raise ModelError(f"has weights that are not finite numbers ({item.name})")
    return int(stored)
