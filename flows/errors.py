"""Errors of this room."""

from collections.abc import Iterable


def joined(sentences: Iterable[str]) -> str:
    """Join sentences, whether each ends with a full stop or not, to one."""
    return "; ".join(sentence.rstrip().removesuffix(".") for sentence in sentences)


class FlowError(Exception):
    """Root of all errors that `flows` raises on purpose."""


class UsageError(FlowError, ValueError):
    """What was asked for must change first (exit status 2)."""


class ClusterLost(FlowError, RuntimeError):  # noqa: N818 - reads as a sentence
    """The scheduler, or every worker, has gone while work was left (exit status 1)."""


class WorkersDied(FlowError, ConnectionError):  # noqa: N818 - reads as a sentence
    """Workers died one after the other while they were given the same work; worth a retry."""


class TooManyQuarantined(UsageError):  # noqa: N818 - reads as a sentence
    """More tracks were refused than the run allows."""


class SweepFailed(FlowError, RuntimeError):  # noqa: N818 - reads as a sentence
    """None of a sweep's trainings came to a model (exit status 1)."""


class NotStarted(FlowError, RuntimeError):  # noqa: N818 - reads as a sentence
    """A server or a worker did not start, or ended by itself (exit status 1)."""


class ChildFailed(FlowError, RuntimeError):  # noqa: N818 - reads as a sentence
    """A deployment that this run handed work to did not complete it."""
