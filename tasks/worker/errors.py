"""Errors of this room, which travel from a worker to the run."""


class WorkerError(Exception):
    """Root of all errors that `tasks.worker` raises on purpose.

    Attributes
    ----------
    remedied_by_user : bool
        True where a rerun fails again until something on the worker's machine is changed.
    """

    remedied_by_user: bool = False


class DecoderStalled(WorkerError, TimeoutError):  # noqa: N818 - reads as a sentence
    """Decoders were stopped or killed while they started, one after the other; worth a retry."""


class DecoderEnded(WorkerError, RuntimeError):  # noqa: N818 - reads as a sentence
    """A decoder was ended for good by whoever had it, while something was asked of it."""


class DecoderBroken(WorkerError, RuntimeError):  # noqa: N818 - reads as a sentence
    """No decoder can start on that machine, as it is."""

    remedied_by_user = True
