"""From power to the values that are stored: a logarithm, and float16."""

import numpy as np

from genre_model.signal.mel_spec import Scale

LEAST_POWER = 1e-10
"""Power that the decibel scale rounds up to, so that silence is -100 dB and not minus infinity."""


def apply_scale(power: np.ndarray, scale: Scale) -> np.ndarray:
    """Take the logarithm of power, in place.

    Parameters
    ----------
    power : np.ndarray [float32, power, at least 0]
        Overwritten.
    scale : {"log1p", "decibel"}
        log(1 + power), or 10 * log10(max(power, 1e-10)) (dB re 1).

    Returns
    -------
    np.ndarray
        `power`.
    """
    if scale == "log1p":
        np.log1p(power, out=power)
    else:
        np.maximum(power, np.float32(LEAST_POWER), out=power)
        np.log10(power, out=power)
        power *= np.float32(10.0)
    return power


def half_of_positive(values: np.ndarray) -> np.ndarray:
    """Round to float16, to the nearest and of two to the even one, as ``astype`` does.

    numpy goes value by value, and takes 60 ns where one is below float16's normal range, as most of
    log(1 + power) is: 5 ms a clip. This takes a tenth, by arithmetic on the bits:

        float32  exponent (8, bias 127)  mantissa (23)
        float16  exponent (5, bias  15)  mantissa (10)

    Parameters
    ----------
    values : np.ndarray [float32, 0 to 65,519]
        What to round.

    Returns
    -------
    np.ndarray [float16]
    """
    least_normal = np.float32(2.0**-14)
    # Normal numbers: 13 bits of mantissa less, rounded, and the other bias.
    normal = np.maximum(values, least_normal).view(np.int32)
    odd = normal >> 13
    odd &= 1
    normal += odd
    normal += 0xFFF - ((127 - 15) << 23)
    normal >>= 13
    # The rest are multiples of 2**-24, and 0.5 added, float32 counts just those.
    small = np.minimum(values, least_normal)
    small += np.float32(0.5)
    counted = small.view(np.int32)
    counted -= np.float32(0.5).view(np.int32)
    # One of the two is at the border between them, 0x400.
    normal += counted
    normal -= 0x400
    halves: np.ndarray = normal.astype(np.uint16).view(np.float16)
    return halves
