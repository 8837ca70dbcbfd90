"""How long tests wait before they call something hung: all limits of all tests.

They end what would never end, and measure nothing: a machine under load is many times slower than
a quiet one, and a generous limit costs a quiet one nothing. `tests/test_limits.py` keeps them here.
"""

from __future__ import annotations

TRY_S = 30.0
"""One try of what is tried again: a connection, a request."""

STEP_S = 600.0
"""What takes seconds: a server answers, a process ends, a thread has come to a point."""

COMMAND_S = 1_800.0
"""A program, or the run of a deployment, from its beginning to its end."""

TEST_S = 7_200.0
"""A whole test, with the fixtures that it is the first to ask for."""
