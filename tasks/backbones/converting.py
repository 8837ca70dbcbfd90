"""Nets of a wheel to ONNX files, in a process of its own: TensorFlow is imported there.

Started as ``python -m tasks.backbones.converting NAME WHEEL FOLDER``; writes NET.onnx of each net
of a known backbone, checked against what it must say.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from genre_model.errors import GenreModelError, ModelError
from genre_model.frontends.backbones.known import KNOWN


def convert(name: str, wheel: Path) -> dict[str, bytes]:
    """Convert all nets of a known backbone.

    Returns
    -------
    dict[str, bytes]
        Name of a net -> ONNX file; the same bytes each time.

    Raises
    ------
    ModelError
        If one does not say what it must, or the process ends otherwise.
    """
    from storage.places.temporary_folders import temporary_folder

    with temporary_folder("backbone") as folder:
        done = subprocess.run(
            [sys.executable, "-m", "tasks.backbones.converting", name, str(wheel), str(folder)],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"},
            check=False,
        )
        if done.returncode:
            said = [line for line in done.stderr.splitlines() if line.strip()]
            reason = said[-1].strip() if said else f"exit status {done.returncode}"
            raise ModelError(f"the backbone {name!r} could not be converted: {reason}")
        return {net: (folder / f"{net}.onnx").read_bytes() for net in KNOWN[name].nets}


def _main(name: str, wheel: Path, folder: Path) -> None:
    from genre_model.frontends.backbones.net import Net
    from genre_model.frontends.backbones.proof import check_values, fixed_patch

    known = KNOWN[name]
    converter = import_module(known.converter)
    for net, expected in known.nets.items():
        content = converter.convert(wheel, net)
        opened = Net(content, output=known.output)
        said = opened.run(fixed_patch(*opened.patch)[None])[0]
        check_values(said, expected, what=net)
        (folder / f"{net}.onnx").write_bytes(content)


if __name__ == "__main__":
    try:
        _main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
    except GenreModelError as error:
        sys.exit(str(error))
