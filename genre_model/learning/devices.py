"""Which device trains: said in every result, so that nobody trains on the CPU by mistake."""

from __future__ import annotations

from genre_model.recipe import TrainSpec


def training_device() -> str:
    """Name the device that TensorFlow computes on: the first GPU's model, or `CPU`."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    details = tf.config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", "GPU"))


def lacks_memory(error: Exception) -> bool:
    """Whether a device, of whatever backend, says that its memory is too small."""
    text = f"{type(error).__name__} {error}"
    return any(word in text for word in ("ResourceExhausted", "RESOURCE_EXHAUSTED", "OutOfMemory"))


def too_large_in_words(spec: TrainSpec) -> str:
    """Say that a batch does not fit the device, and what makes the same steps of smaller ones."""
    half = max(1, spec.batch_size // 2)
    return (
        f"training.batch_size is {spec.batch_size}, and a step of so many windows does not fit "
        f"into the memory of {training_device()}; set training.batch_size={half} and "
        f"training.accumulation={2 * spec.accumulation}, which learns as much at a time"
    )
