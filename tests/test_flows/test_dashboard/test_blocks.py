"""Options from Prefect blocks: each kind is read, and what is not there is one sentence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from prefect.blocks.core import UnknownBlockType
from prefect.blocks.system import Secret
from prefect.filesystems import RemoteFileSystem
from prefect_aws import AwsCredentials, MinIOCredentials, S3Bucket

from flows.dashboard import blocks
from flows.dashboard.blocks import storage_options
from flows.errors import UsageError

URL = "http://127.0.0.1:9000"
AWS = AwsCredentials(
    aws_access_key_id="key",
    aws_secret_access_key="hush",
    aws_session_token="token",
    region_name="eu-central-1",
    aws_client_parameters={"endpoint_url": URL},
)
MINIO = MinIOCredentials(
    minio_root_user="key",
    minio_root_password="hush",
    aws_client_parameters={"endpoint_url": URL},
)
OPTIONS = {"endpoint_url": URL, "key": "key", "secret": "hush"}


@pytest.fixture
def holds(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], None]:
    """Have every block be a given one."""

    def give(block: Any) -> None:
        monkeypatch.setattr(blocks, "_load", lambda _name: block)

    return give


@pytest.mark.parametrize(
    ("name", "block", "options"),
    [
        (
            "aws-credentials/x",
            AWS,
            {**OPTIONS, "token": "token", "client_kwargs": {"region_name": "eu-central-1"}},
        ),
        ("minio-credentials/x", MINIO, OPTIONS),
        ("s3-bucket/x", S3Bucket(bucket_name="box", credentials=MINIO), OPTIONS),
        ("remote-file-system/x", RemoteFileSystem(basepath="s3://box", settings=OPTIONS), OPTIONS),
        ("secret/x", Secret(value=OPTIONS), OPTIONS),
        ("secret/x", Secret(value='{"anon": true}'), {"anon": True}),
    ],
)
def test_each_kind_is_read(
    holds: Callable[[Any], None], name: str, block: Any, options: dict[str, Any]
) -> None:
    holds(block)
    assert storage_options(name) == options


def test_none_leaves_it_to_the_environment() -> None:
    assert storage_options(None) is None


@pytest.mark.parametrize("name", ["x", "secret", "secret/", "docker-container/x"])
def test_another_kind_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match=f"storage_block is '{name}'.*aws-credentials"):
        storage_options(name)


def test_a_block_without_options_is_refused_and_not_shown(holds: Callable[[Any], None]) -> None:
    holds(Secret(value="hush"))
    with pytest.raises(UsageError, match="'secret/x' holds no options") as caught:
        storage_options("secret/x")
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize(
    ("error", "sentence"),
    [(UnknownBlockType(), "pip install prefect-aws"), (ValueError(), "there is no Prefect block")],
)
def test_what_cannot_be_loaded_is_a_sentence(
    monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise error

    monkeypatch.setattr("prefect.blocks.core.Block.load", refuse)
    with pytest.raises(UsageError, match=sentence):
        storage_options("aws-credentials/x")
