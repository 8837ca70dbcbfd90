"""The devices that train: which they are, what they hold, and how several share a training.

No other module of training asks a backend of Keras for anything by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import keras

from genre_model.errors import InvalidSpec
from genre_model.recipe import TrainSpec

Scope = Callable[[], AbstractContextManager[object]]
"""Makes what networks are built, opened and trained in."""


def training_device() -> str:
    """Name the device that Keras's backend computes on: the first GPU's model, or `CPU`.

    It is said in every result, so that nobody trains on the CPU by mistake.
    """
    return {"tensorflow": _of_tensorflow, "jax": _of_jax, "torch": _of_torch}[backend()]()


def backend() -> str:
    """Name Keras's backend: `tensorflow`, or what KERAS_BACKEND says."""
    return str(keras.backend.backend())


def is_compiled(spec: TrainSpec) -> bool:
    """Whether the steps of a training are compiled by XLA (with PyTorch, by `torch.compile`).

    By itself that is so with JAX, which is slow without, and where TensorFlow has one GPU: on a CPU
    TensorFlow's own kernels are quicker.
    """
    if spec.jit != "auto":
        return spec.jit == "on"
    if backend() == "tensorflow":
        return spec.devices == 1 and training_device() != "CPU"
    return backend() == "jax"


def scope_of(spec: TrainSpec) -> Scope:
    """Return the scope of a training on `spec.devices` devices, by `tf.distribute`.

    Raises
    ------
    InvalidSpec
        If there are not so many, or the backend is another one.
    """
    if spec.devices == 1:
        return nullcontext
    if backend() != "tensorflow":
        raise InvalidSpec(
            f"training.devices is {spec.devices}, and with KERAS_BACKEND={backend()} there is one; "
            "leave it out, or train with KERAS_BACKEND=tensorflow"
        )
    import tensorflow as tf

    kind = "GPU" if tf.config.list_physical_devices("GPU") else "CPU"
    found = [each.name for each in tf.config.list_logical_devices(kind)]
    if len(found) < spec.devices:
        raise InvalidSpec(
            f"training.devices is {spec.devices}, and TensorFlow finds {len(found)} {kind} here; "
            f"set it to {len(found)}"
        )
    scope: Scope = tf.distribute.MirroredStrategy(found[: spec.devices]).scope
    return scope


_NO_MEMORY = (
    *("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory"),
    "Dst tensor is not initialized",
    "DefaultCPUAllocator: can't allocate memory",
)
"""What backends say: the second last TensorFlow of a copy to a GPU, the last PyTorch on a CPU."""


def lacks_memory(error: Exception) -> bool:
    """Whether a device, of whatever backend, says that its memory is too small."""
    if isinstance(error, MemoryError):
        return True
    text = f"{type(error).__name__} {error}"
    return any(word in text for word in _NO_MEMORY)


def device_memory() -> int | None:
    """Return the bytes of the memory in which the first GPU keeps what is trained on.

    None where that is not told: by TensorFlow, and on a CPU.
    """
    asked = {"jax": _memory_of_jax, "torch": _memory_of_torch}.get(backend())
    return asked() if asked is not None and training_device() != "CPU" else None


def size_that_fits(step: Callable[[int], object], size: int) -> int:
    """Halve a size that does not fit a device until a step of it does, and return it.

    Parameters
    ----------
    step : callable
        Takes a step of so many windows; what it leaves behind is of no use any more.
    size : int [windows]
        What does not fit.

    Returns
    -------
    int
        0 if not even one window fits.
    """
    while size := size // 2:
        try:
            step(size)
        except Exception as error:
            if not lacks_memory(error):
                raise
        else:
            break
    return size


def too_large_in_words(spec: TrainSpec, size: int, *, kept: int = 0) -> str:
    """Say that a batch does not fit the device, and what makes the same steps of smaller ones.

    Parameters
    ----------
    spec : TrainSpec
    size : int [windows]
        One that fits; 0 for none.
    kept : int [bytes]
        Of the training windows that are in the same memory.
    """
    what = (
        f"training.batch_size is {spec.batch_size}, and a step of so many windows does not fit "
        f"into the memory of {training_device()}"
    )
    streaming = (
        f"training.feed=streaming, which frees {kept / 1e6:,.0f} MB of it, or " if kept else ""
    )
    if not size:
        remedy = f"set {streaming}choose" if kept else "choose"
        return f"{what}, nor does one of a single window; {remedy} a smaller network"
    if spec.devices > 1:
        return f"{what}; one of {size} does, so set training.batch_size={size}"
    steps = -(-spec.batch_size // size) * spec.accumulation
    return (
        f"{what}; one of {size} does, so set {streaming}training.batch_size={size} and "
        f"training.accumulation={steps}, which learns as much at a time"
    )


def kept_too_large_in_words(windows: str) -> str:
    """Say that training windows do not fit where they were to be kept."""
    return (
        f"{windows} do not fit into the memory of {training_device()}, where they were to be kept; "
        "set training.feed=streaming, which reads them in each epoch"
    )


def judged_too_large_in_words(windows: int) -> str:
    """Say that so many windows at a time cannot be predicted, and what leaves them more memory."""
    return (
        f"{windows} windows at a time, which are predicted, do not fit into the memory of "
        f"{training_device()}; set training.feed=streaming, which keeps none there, end what else "
        "uses it, or choose a smaller network"
    )


def _of_tensorflow() -> str:
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    details = tf.config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", "GPU"))


def _of_jax() -> str:
    import jax

    first = jax.devices()[0]
    return "CPU" if first.platform == "cpu" else str(first.device_kind)


def _memory_of_jax() -> int | None:
    import jax

    found = (jax.devices()[0].memory_stats() or {}).get("bytes_limit")
    return None if found is None else int(found)


def _memory_of_torch() -> int:
    import torch

    return int(torch.cuda.mem_get_info(0)[1])


def _of_torch() -> str:
    import torch

    return str(torch.cuda.get_device_name(0)) if torch.cuda.is_available() else "CPU"
