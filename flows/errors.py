"""Errors of this room."""


class FlowError(Exception):
    """Root of all errors that `flows` raises on purpose."""


class UsageError(FlowError, ValueError):
    """What was asked for must change first (exit status 2)."""
