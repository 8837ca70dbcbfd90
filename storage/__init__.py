"""Bytes at rest: locations, arrays, manifests, tables, published models, claims.

`open_features` is the public face; it is imported only when asked for, so that importing this
package costs nothing.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from storage.datasets import open_features as open_features

__all__ = ["open_features"]


def __getattr__(name: str) -> object:
    if name == "open_features":
        from storage.datasets import open_features

        return open_features
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
