"""What is waited for while TensorFlow is imported is said, and nothing that its C++ writes."""

from __future__ import annotations

import os
import sys
from types import ModuleType

import pytest

from tasks.native_stderr import captured_native_stderr


def test_it_is_said_before_it_is_imported_and_only_then(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    said: list[str] = []
    with captured_native_stderr(said.append):
        assert said == ["loading TensorFlow, which takes a while"]
        os.write(2, b"what C++ writes")
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    with captured_native_stderr(said.append):
        assert len(said) == 1
    assert capfd.readouterr().err == ""


def test_what_was_written_is_shown_if_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        with captured_native_stderr():
            os.write(2, b"what C++ writes")
            raise ImportError("gone")

    with pytest.raises(ImportError, match="gone"):
        fails()
    assert capfd.readouterr().err == "what C++ writes"
