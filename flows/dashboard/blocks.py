"""Options of an object store from a Prefect block, so that no flow parameter holds a secret."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from flows.errors import UsageError
from storage.places.options import StorageOptions, check_options


def storage_options(block: str | None) -> StorageOptions | None:
    """Load the options that a block holds.

    Parameters
    ----------
    block : str, optional
        `<type>/<name>`: `aws-credentials`, `minio-credentials` and `s3-bucket` of prefect-aws,
        `remote-file-system` (its settings), or `secret` (storage options as a JSON object).

    Returns
    -------
    dict or None
        As `parse_location` takes them; None without a block: the environment's.

    Raises
    ------
    UsageError
        If there is no such block, or it holds no such options; its content is never named.
    """
    if block is None:
        return None
    kind, _, name = block.partition("/")
    if kind not in _READERS or not name:
        raise UsageError(
            f"storage_block is {block!r}; it must be <type>/<name>, the type one of "
            f"{', '.join(_READERS)}"
        )
    try:
        return check_options(_READERS[kind](_load(block)))
    except (AttributeError, TypeError):
        raise UsageError(
            f"the Prefect block {block!r} holds no options of an object store; see docs/storage.md"
        ) from None


def _load(block: str) -> Any:
    from prefect.blocks.core import Block, UnknownBlockType

    try:
        return Block.load(block, _sync=True)  # type: ignore[call-arg]
    except UnknownBlockType:
        raise UsageError(
            f"the Prefect block {block!r} is of a type that is not installed here: "
            "`pip install prefect-aws`"
        ) from None
    except ValueError:
        raise UsageError(
            f"there is no Prefect block {block!r}; `prefect block ls` lists those that are there"
        ) from None


def _of_secret(block: Any) -> StorageOptions:
    value = block.get()
    try:
        found = json.loads(value) if isinstance(value, str) else dict(value)
    except ValueError:
        raise TypeError("no JSON object") from None
    return dict(found)


def _of_file_system(block: Any) -> StorageOptions:
    return dict(block.settings or {})


def _of_aws(block: Any) -> StorageOptions:
    return _without_nothing(
        {
            "key": block.aws_access_key_id,
            "secret": _revealed(block.aws_secret_access_key),
            "token": block.aws_session_token,
            "profile": block.profile_name,
            **_of_client(block),
        }
    )


def _of_minio(block: Any) -> StorageOptions:
    return _without_nothing(
        {
            "key": block.minio_root_user,
            "secret": _revealed(block.minio_root_password),
            **_of_client(block),
        }
    )


def _of_bucket(block: Any) -> StorageOptions:
    credentials = block.credentials
    is_minio = hasattr(credentials, "minio_root_user")
    return _of_minio(credentials) if is_minio else _of_aws(credentials)


def _of_client(block: Any) -> StorageOptions:
    region = {"region_name": block.region_name} if block.region_name else None
    return {"endpoint_url": block.aws_client_parameters.endpoint_url, "client_kwargs": region}


def _revealed(secret: Any) -> str | None:
    return None if secret is None else str(secret.get_secret_value())


def _without_nothing(options: StorageOptions) -> StorageOptions:
    return {name: value for name, value in options.items() if value is not None}


_READERS: Mapping[str, Callable[[Any], StorageOptions]] = {
    "aws-credentials": _of_aws,
    "minio-credentials": _of_minio,
    "s3-bucket": _of_bucket,
    "remote-file-system": _of_file_system,
    "secret": _of_secret,
}
