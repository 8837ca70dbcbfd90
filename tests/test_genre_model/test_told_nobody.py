"""onnxruntime, left alone, numbers the machine and tells its maker what it runs."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

from limits import COMMAND_S
from made_nets import mean_net

ROOT = Path(__file__).parents[2]
RUN = """
import sys
from pathlib import Path
import numpy as np
from genre_model.frontends.backbones.net import Net
from genre_model.portable.session import open_session
open_session(Path(sys.argv[1]).read_bytes())
"""


def test_a_net_that_runs_leaves_and_tells_nothing(tmp_path: Path) -> None:
    net, home = tmp_path / "net.onnx", tmp_path / "home"
    net.write_bytes(mean_net())
    home.mkdir()
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"), str(home))
    told = {key: value for key, value in os.environ.items() if key != "ORT_DISABLE_TELEMETRY"}
    subprocess.run(
        [sys.executable, "-B", "-c", RUN, str(net)],
        cwd=ROOT,
        env={**told, **places},
        check=True,
        timeout=COMMAND_S,
    )
    assert list(home.rglob("*")) == []


def test_one_module_imports_it() -> None:
    found = []
    for room in ("genre_model", "storage", "tasks", "flows"):
        for file in (ROOT / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text())):
                names = [each.name for each in node.names] if isinstance(node, ast.Import) else []
                if isinstance(node, ast.ImportFrom):
                    names = [node.module or ""]
                if any(name.partition(".")[0] == "onnxruntime" for name in names):
                    found.append(file.relative_to(ROOT).as_posix())
    assert found == ["genre_model/portable/onnx_runtime.py"]
