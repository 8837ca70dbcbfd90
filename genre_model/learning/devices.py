"""Which device trains: said in every result, so that nobody trains on the CPU by mistake."""

from __future__ import annotations


def training_device() -> str:
    """Name the device that TensorFlow computes on: the first GPU's model, or `CPU`."""
    import tensorflow as tf

    gpus = tf.config.list_physical_devices("GPU")
    if not gpus:
        return "CPU"
    details = tf.config.experimental.get_device_details(gpus[0])
    return str(details.get("device_name", "GPU"))
