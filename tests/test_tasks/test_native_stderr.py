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
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    said: list[str] = []
    with captured_native_stderr(said.append):
        assert said == ["loading TensorFlow, which takes a while"]
        os.write(2, b"what C++ writes")
    monkeypatch.setitem(sys.modules, "tensorflow", ModuleType("tensorflow"))
    with captured_native_stderr(said.append):
        assert len(said) == 1
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(("backend", "name"), [("jax", "JAX"), ("torch", "PyTorch")])
def test_another_backend_is_called_by_its_name(
    backend: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KERAS_BACKEND", backend)
    monkeypatch.delitem(sys.modules, backend, raising=False)
    said: list[str] = []
    with captured_native_stderr(said.append):
        assert said == [f"loading {name}, which takes a while"]
    monkeypatch.setitem(sys.modules, backend, ModuleType(backend))
    with captured_native_stderr(said.append):
        assert len(said) == 1


def test_what_was_written_is_shown_if_it_fails(capfd: pytest.CaptureFixture[str]) -> None:
    def fails() -> None:
        with captured_native_stderr():
            os.write(2, b"what C++ writes")
            raise ImportError("gone")

    with pytest.raises(ImportError, match="gone"):
        fails()
    assert capfd.readouterr().err == "what C++ writes"
