"""s3fs for zarr's own event loop: sessions that are closed when nobody needs them any more."""

import asyncio
import atexit
import weakref
from concurrent.futures import Future
from typing import Any

import s3fs

from storage.places.options import StorageOptions

_CLOSE_LIMIT_S = 5.0


class ClosingFileSystem(s3fs.S3FileSystem):  # type: ignore[misc]
    """An asynchronous S3 file system that leaves no open connection to be complained of at exit."""

    async def set_session(self, *arguments: Any, **options: Any) -> Any:
        """Make the session if there is none, and see to its end."""
        is_new = self._s3 is None
        client = await super().set_session(*arguments, **options)
        if is_new:
            closer = weakref.finalize(self, _begin_close, asyncio.get_running_loop(), client)
            # after zarr's own hook, which was registered first and is called last, no loop runs
            atexit.register(_close, closer)
        return client


def asynchronous_file_system(options: StorageOptions) -> ClosingFileSystem:
    """Make a file system for zarr, with s3fs's own retries and without caches.

    Parameters
    ----------
    options : Mapping
        Of `s3fs.S3FileSystem`.
    """
    return ClosingFileSystem(
        use_listings_cache=False, skip_instance_cache=True, asynchronous=True, **options
    )


def _begin_close(loop: asyncio.AbstractEventLoop, client: Any) -> "Future[None] | None":
    if not loop.is_running():
        return None
    return asyncio.run_coroutine_threadsafe(client.close(), loop)


def _close(closer: Any) -> None:
    closing = closer()
    if closing is not None:
        closing.result(_CLOSE_LIMIT_S)
