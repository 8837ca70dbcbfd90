"""What a server or the network says, as errors of this room in sentences without secrets.

Causes are left out on purpose: servers repeat access keys in their messages.
"""

import contextlib
from collections.abc import Iterator

from storage.errors import (
    CredentialsRefused,
    Full,
    NotFound,
    Refused,
    StorageError,
    UnknownFormat,
    Unreachable,
)

_MISSING = {"NoSuchKey", "404", "NotFound"}
_CONFLICT = {"PreconditionFailed", "412"}
_FULL = {"InsufficientStorage", "507", "QuotaExceeded", "XMinioStorageFull", "EntityTooLarge"}
_WAIT = {  # says nothing of the request, and nothing of the disk
    "ConditionalRequestConflict",
    "OperationAborted",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "TooManyRequests",
    "TooManyRequestsException",
}
_FAULT = {
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeout",
    "IncompleteBody",
    "BadDigest",
    "XAmzContentSHA256Mismatch",
}
_CREDENTIALS = {
    "InvalidAccessKeyId": "the server does not know the access key: check AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "the secret key is not that of the access key: check "
    "AWS_SECRET_ACCESS_KEY",
    "ExpiredToken": "the session token has expired: get new credentials",
    "ExpiredTokenException": "the session token has expired: get new credentials",
    "TokenRefreshRequired": "the session token has expired: get new credentials",
    "InvalidToken": "the session token is not valid: get new credentials",
    "InvalidClientTokenId": "the server does not know the access key: check AWS_ACCESS_KEY_ID",
    "RequestTimeTooSkewed": "the clocks differ: set the clock of this machine",
    "RequestExpired": "the clocks differ: set the clock of this machine",
    "AuthorizationHeaderMalformed": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "PermanentRedirect": "the bucket is in another region: set AWS_DEFAULT_REGION",
    "301": "the bucket is in another region: set AWS_DEFAULT_REGION",
}
_UNNAMED_REFUSALS = {"400", "401"}
_REFUSALS = {
    "InvalidObjectState": "it lies in an archive class: restore it first",
    "MethodNotAllowed": "this is no S3 server's answer: check AWS_ENDPOINT_URL",
    "NotImplemented": "the server does not know this request: use one that knows If-None-Match and "
    "If-Match",
}

_NO_TLS = ("CERTIFICATE_VERIFY_FAILED", "WRONG_VERSION_NUMBER", "record layer failure", "CA cert")
"""What OpenSSL and botocore say of a connection that will never be; others may pass."""


class ConditionFailedError(StorageError):
    """The condition of a conditional request did not hold."""


class RangeBeyondEndError(StorageError):
    """The content ends before the byte that was asked for."""


@contextlib.contextmanager
def explained(operation: str, uri: str, bucket: str) -> Iterator[None]:
    """Turn what botocore raises into an error of this room that names operation and bucket."""
    try:
        yield
    except StorageError:
        raise
    except Exception as error:
        translated = translate(f"{operation} {uri} failed", bucket, error)
        if translated is None:
            raise
        raise translated from None


def translate(what: str, bucket: str, error: Exception) -> StorageError | None:
    """Find the error for an answer, or for its absence; None for what is a bug."""
    code, status = _error_code(error), _http_status(error)
    if code == "NoSuchBucket":
        return CredentialsRefused(
            f"{what}: there is no bucket {bucket!r}; create it or name another."
        )
    if code in _CONFLICT or status == 412:
        return ConditionFailedError(f"{what}: the condition did not hold.")
    if code == "InvalidRange" or status == 416:
        return RangeBeyondEndError(f"{what}: the object in bucket {bucket!r} ends before.")
    if code in _MISSING or status == 404:
        return NotFound(f"{what}: there is no such object in bucket {bucket!r}.")
    if code in _FULL or status == 507:
        return Full(f"{what} ({code}): the bucket {bucket!r} takes no more bytes.")
    if code in _CREDENTIALS or code in _UNNAMED_REFUSALS:
        why = _CREDENTIALS.get(code, "check the credentials")
        return CredentialsRefused(f"{what} ({code}) for bucket {bucket!r}: {why}.")
    if code in _REFUSALS:
        return Refused(f"{what} ({code}) for bucket {bucket!r}: {_REFUSALS[code]}.")
    if code in _WAIT or status == 429:
        return Unreachable(f"{what} ({code}): the server of bucket {bucket!r} asks to wait.")
    if code in _FAULT or (status or 0) >= 500:
        return Unreachable(
            f"{what} ({code or status}): the server of bucket {bucket!r} had a fault of its own.",
            may_be_full=True,
        )
    if status == 403 or code in ("403", "AccessDenied"):
        return Refused(
            f"{what} ({code or status}): the identity may not do this in bucket {bucket!r}; "
            "give it the permissions of docs/storage.md, or use another."
        )
    if code or status:
        return Refused(
            f"{what} ({code or status}): the server of bucket {bucket!r} refuses it; check the "
            "address, AWS_ENDPOINT_URL and the storage options."
        )
    return _without_answer(what, bucket, error)


def _without_answer(what: str, bucket: str, error: Exception) -> StorageError | None:
    from botocore import exceptions as boto  # type: ignore[import-untyped]
    from botocore.parsers import ResponseParserError  # type: ignore[import-untyped]
    from urllib3.exceptions import HTTPError

    misled = _misconfigured(what, bucket, error)
    if misled is not None:
        return misled
    # what else botocore raises is of this machine: no connection was tried
    faults = (
        boto.ConnectionError,
        boto.HTTPClientError,
        boto.IncompleteReadError,
        boto.ChecksumError,
        boto.FlexibleChecksumError,
        boto.MetadataRetrievalError,
        ResponseParserError,
        HTTPError,
        OSError,
    )
    if isinstance(error, boto.ProxyConnectionError):
        return Unreachable(
            f"{what}: no proxy answers for bucket {bucket!r}; check HTTPS_PROXY and HTTP_PROXY, or "
            "put the server into NO_PROXY."
        )
    if isinstance(error, faults):
        return Unreachable(
            f"{what}: no whole answer ({type(error).__name__}) for bucket {bucket!r}; "
            "see whether its server (AWS_ENDPOINT_URL) runs and can be reached."
        )
    if isinstance(error, boto.BotoCoreError):
        return UnknownFormat(
            f"{what}: the AWS settings for bucket {bucket!r} are refused "
            f"({type(error).__name__}); check the storage options, the AWS_… variables and the "
            "AWS configuration file."
        )
    return None


def _misconfigured(what: str, bucket: str, error: Exception) -> StorageError | None:
    """Find the error for what a person must change before anything can be answered."""
    from botocore import exceptions as boto

    if isinstance(error, boto.ProfileNotFound):
        return CredentialsRefused(
            f"{what}: the profile for bucket {bucket!r} is not in the AWS configuration file; "
            "check AWS_PROFILE, or `profile` of the storage options."
        )
    credentials = (
        boto.NoCredentialsError,
        boto.PartialCredentialsError,
        boto.CredentialRetrievalError,
        boto.UnauthorizedSSOTokenError,
        boto.SSOTokenLoadError,
    )
    if isinstance(error, credentials):
        return CredentialsRefused(
            f"{what}: no usable credentials for bucket {bucket!r} were found; set AWS_PROFILE, or "
            "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or GENRE_STORAGE_OPTIONS."
        )
    if isinstance(error, boto.InvalidRegionError | boto.NoRegionError):
        return CredentialsRefused(f"{what}: bucket {bucket!r} needs a valid AWS_DEFAULT_REGION.")
    if isinstance(error, boto.SSLError) and any(sign in str(error) for sign in _NO_TLS):
        return Refused(
            f"{what}: no secure connection for bucket {bucket!r}; check http:// or https:// of "
            "AWS_ENDPOINT_URL, and name the server's certificate in AWS_CA_BUNDLE."
        )
    if isinstance(error, boto.ParamValidationError):
        return UnknownFormat(
            f"{what}: bucket {bucket!r}, the key or an option is not valid; give s3://bucket/key "
            "and check `s3_additional_kwargs`."
        )
    if isinstance(error, UnicodeError):
        return UnknownFormat(f"{what}: the address in bucket {bucket!r} is not UTF-8.")
    if isinstance(error, ValueError):
        return UnknownFormat(f"{what}: the endpoint of bucket {bucket!r} is no valid URL.")
    return None


def _error_code(error: Exception) -> str:
    response = getattr(error, "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def _http_status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    status = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
    return int(status) if status else None
