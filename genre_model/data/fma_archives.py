"""The archives in which FMA is published: their names and hashes, and what a fetch takes.

Source: the table of https://github.com/mdeff/fma, whose archives lie at `ADDRESS`/NAME.zip.
"""

from __future__ import annotations

from genre_model.errors import CatalogueError

ADDRESS = "https://os.unil.cloud.switch.ch/fma"

METADATA = "fma_metadata"
"""The tables: tracks.csv, genres.csv and others. Every fetch takes it."""

SHA1 = {
    METADATA: "f0df49ffe5f2a6008d7dc83c6915b31835dfe733",
    "fma_small": "ade154f733639d52e35e32f5593efe5be76c6d70",
    "fma_medium": "c67b69ea232021025fca9231fc1c7c1a063ab50b",
    "fma_large": "497109f4dd721066b5ce5e5f250ec604dc78939e",
    "fma_full": "0f0ace23fbe9ba30ecb7e95f763e435ea802b8ab",
}
"""Name -> sha1 of the archive; 342 MiB, 7.2, 22, 93 and 879 GiB in this order."""


def archives_of(dataset: str) -> tuple[str, ...]:
    """Return the names of the archives that make up a data set, the metadata first.

    Parameters
    ----------
    dataset : str
        A name of `SHA1`.

    Raises
    ------
    CatalogueError
        If FMA has no such archive.

    Examples
    --------
    >>> archives_of("fma_small")
    ('fma_metadata', 'fma_small')
    """
    if dataset not in SHA1:
        raise CatalogueError(f"{dataset!r} is no archive of FMA; name one of {', '.join(SHA1)}.")
    return (METADATA,) if dataset == METADATA else (METADATA, dataset)
