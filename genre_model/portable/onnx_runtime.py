"""onnxruntime, which tells nobody what it runs: the one place that imports it.

Left alone, it gives the machine a number, kept in the user's caches, and sends its maker what is
opened and run. It hears of this before its import only.
"""

import os

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

__all__ = ["onnxruntime"]
