"""Which rows can be augmented how; imports nothing heavy."""

from __future__ import annotations

from genre_model.errors import InvalidSpec
from genre_model.frontends.frontend import Frontend
from genre_model.frontends.log_mel import LogMel
from genre_model.networks import NETWORKS
from genre_model.recipe import AugmentSpec

_OF_ANY_ROWS = {"mixup"}


def check_augmentation(spec: AugmentSpec, *, frontend: Frontend, network: str) -> None:
    """Refuse what cannot be done to a frontend's rows, or what the network cannot take.

    Parameters
    ----------
    spec : AugmentSpec
    frontend : Frontend
    network : str
        One that takes its rows.

    Raises
    ------
    InvalidSpec

    Examples
    --------
    >>> from genre_model.frontends import preset
    >>> check_augmentation(AugmentSpec(gain=6), frontend=preset("default"), network="default")
    """
    if not isinstance(frontend, LogMel):
        if useless := [name for name in spec.changed() if name not in _OF_ANY_ROWS]:
            raise InvalidSpec(
                f"augmentation.{useless[0]} changes spectra, and the preset {frontend.name!r} has "
                f"rows of {frontend.array}; leave it out, or choose the preset 'default'"
            )
        return
    cutting = frontend.cutting
    if spec.crop_windows and cutting.window_stride != cutting.window_frames:
        raise InvalidSpec(
            f"augmentation.crop_windows is {spec.crop_windows}, but windows of the preset "
            f"{frontend.name!r} do not join: each has {cutting.window_frames} of "
            f"{cutting.window_stride} frames; leave it out, or choose the preset 'default'"
        )
    if spec.crop_windows > 1 and not NETWORKS[network].any_length:
        fitting = [name for name, each in NETWORKS.items() if each.any_length]
        raise InvalidSpec(
            f"augmentation.crop_windows is {spec.crop_windows}, but the network {network!r} takes "
            f"windows of one length; set it to 1, or choose the network {' or '.join(fitting)}"
        )
