"""An ONNX file from anybody, opened to be run on one thread."""

from __future__ import annotations

from genre_model.errors import ModelError
from genre_model.portable.onnx_runtime import onnxruntime

_NOWHERE = "/dev/null/nowhere"


def open_session(content: bytes) -> onnxruntime.InferenceSession:
    """Open an ONNX file.

    Parameters
    ----------
    content : bytes
        The whole file: what it names beside itself is not read.

    Raises
    ------
    ModelError
        If it is none, or has operators that onnxruntime lacks; the text goes on from its name:
        `is no ONNX file that runs here: …`.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # a file beside it, which a file may name, would be looked for in the working folder
    options.add_session_config_entry(
        "session.model_external_initializers_file_folder_path", _NOWHERE
    )
    try:
        return onnxruntime.InferenceSession(
            content, sess_options=options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelError(f"is no ONNX file that runs here: {first_line(error)}") from error


def first_line(error: Exception) -> str:
    """Return what onnxruntime says of an error, without where in its source."""
    return str(error).strip().partition("\n")[0][:300]
