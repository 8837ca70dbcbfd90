"""Backbones: patches as they were published, nets that run or say why not, rows side by side."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from made_nets import BANDS, FRAMES, mean_net, renamed
from signals import band_noise, encoded

from genre_model.errors import InvalidSpec, ModelError
from genre_model.frontends import frontend_from_dict, preset
from genre_model.frontends.backbone import Backbone, BackboneExtractor, NetSpec
from genre_model.frontends.backbones.known import KNOWN, TOGETHER
from genre_model.frontends.backbones.net import Net
from genre_model.frontends.backbones.proof import check_values, fixed_patch
from genre_model.portable.canonical import canonical
from genre_model.signal.status import Status

ONE, OTHER = mean_net(5), mean_net(3, seed=1)


def backbone(
    *contents: bytes, name: str = "made", patches: str = "musicnn", frames: int = FRAMES
) -> Backbone:
    nets = tuple(
        NetSpec(
            name=f"net{number}",
            sha256=sha256(content).hexdigest(),
            output="embedding",
            values=Net(content, output="embedding").values,
        )
        for number, content in enumerate(contents)
    )
    return Backbone(name=name, patches=patches, frames=frames, nets=nets)


def extractor(*contents: bytes) -> BackboneExtractor:
    return backbone(*contents).build().given(contents)


def test_pictures_are_of_decibels_below_the_clips_peak() -> None:
    waveform = band_noise(30.0, rate=22_050, channels=1).reshape(-1)[: 30 * 22_050]
    waveform[:100_000] *= 1e-4
    net = mean_net(3, frames=128, bands=128)
    made = backbone(net, patches="image", frames=128).build()
    decibel = preset("default").build().cut(waveform, whole=10).swapaxes(1, 2)
    expected = np.maximum((decibel - decibel.max()) / 40.0 + 1.0, -1.0)

    found = made.cut_patches(waveform, whole=10)

    assert (found.max(), found.min()) == (1.0, -1.0)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_a_row_is_what_the_nets_say_of_each_patch_side_by_side() -> None:
    content = encoded(band_noise(30.0), format="FLAC")
    made = extractor(ONE, OTHER)

    clip = made.windows(content)

    assert (clip.status, made.spec.row_shape) == (Status.OK, (10, 8))
    assert clip.windows is not None
    assert (clip.windows.shape, clip.windows.dtype) == ((10, 8), np.float16)
    alone = [extractor(each).windows(content).windows for each in (ONE, OTHER)]
    assert all(each is not None for each in alone)
    np.testing.assert_array_equal(clip.windows, np.concatenate(alone, axis=1))  # type: ignore[arg-type]


def test_as_many_patches_as_fit_and_a_long_file_to_its_end() -> None:
    made = extractor(ONE)
    content = encoded(band_noise(40.0, rate=16_000, channels=1), rate=16_000, format="WAV")

    partial = made.windows(encoded(band_noise(7.0)))
    segments = list(made.long_windows(content))

    assert partial.status is Status.PARTIAL
    assert partial.windows is not None
    assert len(partial.windows) == 2
    assert sum(len(windows) for _, windows in segments) == 40 * 16_000 // 256 // FRAMES


def test_what_no_float16_holds_is_the_largest_that_it_does() -> None:
    clip = extractor(mean_net(5, factor=1e9)).windows(encoded(band_noise(4.0)))

    assert clip.windows is not None
    assert np.isfinite(clip.windows).all()
    assert np.abs(clip.windows).max() == np.finfo(np.float16).max


def test_an_extractor_travels_without_its_weights_or_with_them() -> None:
    spec, content = backbone(ONE), encoded(band_noise(4.0))
    bare = spec.build()
    sent = pickle.dumps(bare)
    given = pickle.loads(pickle.dumps(bare.given([ONE])))

    assert len(sent) < 10_000
    assert np.array_equal(given.windows(content).windows, extractor(ONE).windows(content).windows)
    with pytest.raises(ModelError, match="'made' was given no weights"):
        pickle.loads(sent).windows(content)


def test_other_weights_are_refused() -> None:
    with pytest.raises(ModelError, match=r"backbone 'net0' has the sha256 .*, and should have"):
        backbone(ONE).build().given([OTHER])


def test_a_worker_needs_neither_keras_nor_librosa(tmp_path: Path) -> None:
    (tmp_path / "extractor").write_bytes(pickle.dumps(extractor(ONE)))
    (tmp_path / "clip.mp3").write_bytes(encoded(band_noise(4.0)))
    program = """
import pathlib, pickle, sys
extractor = pickle.loads(pathlib.Path("extractor").read_bytes())
print(extractor.windows(pathlib.Path("clip.mp3").read_bytes()).status)
heavy = "librosa numba tensorflow keras prefect dask zarr pandas matplotlib fsspec onnx".split()
print(*[name for name in heavy if name in sys.modules])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.splitlines() == ["partial", ""]


def test_a_stored_backbone_opens_again_and_its_digest_is_of_weights_and_not_of_names() -> None:
    spec = backbone(ONE, OTHER)
    renamed_nets = tuple(replace(net, name=f"x{net.name}") for net in spec.nets)
    stored = json.loads(json.dumps(spec.to_dict()))

    assert frontend_from_dict(stored) == spec
    assert replace(spec, name="other", nets=renamed_nets).digest() == spec.digest()
    others = [
        replace(spec, frames=FRAMES - 1),
        replace(spec, nets=spec.nets[::-1]),
        replace(spec, nets=spec.nets[:1]),
        replace(spec, nets=(replace(spec.nets[0], output="other"), spec.nets[1])),
        backbone(ONE, mean_net(3, seed=2)),
    ]
    assert len({spec.digest(), *(each.digest() for each in others)}) == len(others) + 1


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"patches": "loud"}, "no frontend 'loud' of backbones; the frontends are musicnn"),
        ({"frames": 0}, "frames is 0"),
        ({"frames": 1_877}, "frames is 1877, and clip_seconds of 30 has fewer"),
        ({"nets": ()}, "name one net"),
        ({"name": "a/b"}, "'a/b'"),
    ],
)
def test_bad_backbones_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        replace(backbone(ONE), **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"name": "../net"}, r"NetSpec.name is '../net'"),
        ({"sha256": "abc"}, "64 hex digits"),
        ({"values": 0}, "values is 0"),
    ],
)
def test_bad_nets_are_refused(changes: dict[str, object], named: str) -> None:
    with pytest.raises(InvalidSpec, match=named):
        replace(backbone(ONE).nets[0], **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("channel", [False, True])
@pytest.mark.parametrize("batch", ["batch", 4])
def test_a_net_takes_any_number_of_patches(batch: int | str, *, channel: bool) -> None:
    net = Net(mean_net(5, batch=batch, channel=channel), output="embedding")
    patches = np.random.default_rng(3).random((10, FRAMES, BANDS), np.float32)

    assert (net.patch, net.values) == ((FRAMES, BANDS), 5)
    expected = Net(ONE, output="embedding").run(patches)
    np.testing.assert_allclose(net.run(patches), expected, rtol=1e-5, atol=1e-6)


def test_a_net_with_a_free_batch_is_given_a_patch_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Memory grows with the batch: ten patches of musicnn took it past what a worker may have."""
    net = Net(mean_net(), output="embedding")
    run, given = net._session.run, []
    patches = np.random.default_rng(0).random((10, FRAMES, BANDS), np.float32)

    class Watched:
        """The session, whose batches are counted."""

        def __getattr__(self, name: str) -> Any:
            return getattr(session, name)

        def run(self, outputs: list[str], fed: dict[str, np.ndarray]) -> Any:
            given.extend(len(each) for each in fed.values())
            return run(outputs, fed)

    session = net._session
    monkeypatch.setattr(net, "_session", Watched())
    rows = net.run(patches)
    assert given == [1] * 10
    assert np.array_equal(rows[3:4], net.run(patches[3:4]))


@pytest.mark.parametrize(
    ("content", "output", "named"),
    [
        (b"no ONNX", "embedding", "no ONNX file that runs here"),
        (ONE[:200], "embedding", "no ONNX file that runs here"),
        (ONE, "loud", "no output 'loud'; its outputs are embedding, other"),
        (mean_net(5, operator="ReduceLoud"), "embedding", "no ONNX file that runs here"),
    ],
)
def test_a_net_that_does_not_run_says_why(content: bytes, output: str, named: str) -> None:
    with pytest.raises(ModelError, match=named):
        Net(content, output=output)


def test_a_net_that_takes_no_patches_is_refused() -> None:
    model = onnx.load_from_string(ONE)
    del model.graph.input[0].type.tensor_type.shape.dim[2]
    with pytest.raises(ModelError, match=r"a backbone takes one, \[batch, fr|that runs here"):
        Net(model.SerializeToString(), output="embedding")


def test_one_network_is_one_file_whatever_its_exporter_called_things() -> None:
    outputs = {"embedding": "embedding", "other": "means"}
    first = canonical(onnx.load_from_string(ONE), outputs=outputs)
    outputs = {"embedding": "embedding", "x_other": "means"}
    second = canonical(onnx.load_from_string(renamed(ONE, "x_")), outputs=outputs)
    content = first.SerializeToString(deterministic=True)
    patches = np.random.default_rng(4).random((3, FRAMES, BANDS), np.float32)

    assert second.SerializeToString(deterministic=True) == content
    assert Net(content, output="means").outputs == ["embedding", "means"]
    for name, own in (("embedding", "embedding"), ("other", "means")):
        np.testing.assert_array_equal(
            Net(ONE, output=name).run(patches), Net(content, output=own).run(patches)
        )
    outputs = {"embedding": "embedding", "other": "means"}
    changed = canonical(onnx.load_from_string(mean_net(5, seed=9)), outputs=outputs)
    assert changed.SerializeToString(deterministic=True) != content


def test_a_converted_net_must_say_what_was_written_down() -> None:
    check_values(np.array([1.0, 2.0, 3.0]), (1.0, 2.0005), what="net")
    with pytest.raises(ModelError, match=r"net was converted and says of a fixed patch .* 0.1 off"):
        check_values(np.array([1.0, 2.1]), (1.0, 2.0), what="net")
    with pytest.raises(ModelError, match="nan off"):
        check_values(np.array([np.nan]), (1.0,), what="net")
    assert fixed_patch(FRAMES, BANDS).shape == (FRAMES, BANDS)


def test_what_stands_together_is_known_and_takes_the_same_patches() -> None:
    known = {net: each for each in KNOWN.values() for net in each.nets}
    for names in TOGETHER.values():
        assert len({(known[net].frontend, known[net].frames) for net in names}) == 1
