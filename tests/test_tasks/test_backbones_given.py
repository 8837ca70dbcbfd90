"""Anybody's ONNX file as a backbone: what fits becomes a preset, what does not says why."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from made_nets import mean_net, net_giving
from onnx import TensorProto, helper
from onnx.external_data_helper import set_external_data
from signals import band_noise, encoded

from genre_model.errors import GenreModelError, ModelError
from genre_model.frontends.backbones.net import Net
from genre_model.learning.opening.params import checked_params
from storage.errors import NameTaken
from storage.places.address import parse_location
from storage.places.location import Location
from storage.store import Store
from tasks.backbones.given import add_given
from tasks.backbones.presets import find_preset, licences_of, weights_of

# of the shapes of Essentia's Discogs-EffNet: whole batches of 64 patches of 128 frames
STAND_IN = mean_net(1_280, frames=128, batch=64)


@pytest.fixture
def address(tmp_path: Path) -> Location:
    return parse_location(str(tmp_path / "store"))


def given(tmp_path: Path, content: bytes = STAND_IN) -> dict[str, object]:
    file = tmp_path / "effnet.onnx"
    file.write_bytes(content)
    return {"file": file, "frontend": "musicnn", "output": "embedding", "licence": "CC BY-NC 4.0"}


def test_a_file_of_anybodys_is_a_preset_as_it_is(address: Location, tmp_path: Path) -> None:
    record = add_given(address, "effnet", **given(tmp_path))  # type: ignore[arg-type]

    assert (record.frames, record.values, record.licence) == (128, 1_280, "CC BY-NC 4.0")
    assert record.source == "the file effnet.onnx"
    store = Store.open(address)
    assert store.backbones.records() == [record]
    spec = find_preset(store, "effnet")
    assert spec.row_shape == (14, 1_280)
    (place,) = weights_of(store, spec)
    assert place.read_bytes() == STAND_IN
    clip = spec.build().given([STAND_IN]).windows(encoded(band_noise(30.0)))
    assert clip.windows is not None
    assert np.isfinite(clip.windows).all()


def test_added_twice_it_is_there_once(address: Location, tmp_path: Path) -> None:
    both = [add_given(address, "effnet", **given(tmp_path)) for _ in range(2)]  # type: ignore[arg-type]

    assert both[0] == both[1]
    with pytest.raises(NameTaken, match=r"another backbone 'effnet'.*under another name"):
        add_given(address, "effnet", **given(tmp_path, mean_net(seed=3)))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "changes", "says"),
    [
        ("effnet", {"frontend": "loud"}, "no frontend 'loud'.*are musicnn, yamnet, image"),
        ("effnet", {"output": "loud"}, "no output 'loud'; its outputs are embedding, other"),
        (
            "effnet",
            {"frontend": "yamnet"},
            "128 frames x 96 bands, and the frontend 'yamnet' makes 64 bands",
        ),
        ("default", {}, "'default' is the name of a known backbone or preset"),
        ("mtt-vgg", {}, "'mtt-vgg' is the name of a known"),
        ("a+b", {}, r"cannot be called 'a\+b'"),
        ("../a", {}, r"cannot be called '../a'"),
        ("effnet", {"file": Path("/nowhere/effnet.onnx")}, "is not there, or no regular file"),
        ("effnet", {"file": Path("/dev/zero")}, "is not there, or no regular file"),
    ],
)
def test_what_cannot_be_one_says_why(
    address: Location, tmp_path: Path, name: str, changes: dict[str, object], says: str
) -> None:
    with pytest.raises(GenreModelError, match=says):
        add_given(address, name, **{**given(tmp_path), **changes})  # type: ignore[arg-type]
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "effnet.onnx is no backbone: it is no ONNX file that runs here"),
        (STAND_IN[:-100], "no ONNX file that runs here"),
        (mean_net(operator="ReduceLoud"), "no ONNX file that runs here: .*ReduceLoud"),
        (mean_net(frames=2_000), "frames is 2000, and clip_seconds of 30 has fewer"),
        (mean_net(frames="free"), r"of shape \[batch, free, 96\]; a backbone takes one"),  # type: ignore[arg-type]
        (mean_net(factor=np.inf), "'embedding' is not finite for a silent patch"),
    ],
)
def test_a_file_that_is_no_backbone_says_why(
    address: Location, tmp_path: Path, content: bytes, says: str
) -> None:
    with pytest.raises(GenreModelError, match=says):
        add_given(address, "effnet", **given(tmp_path, content))  # type: ignore[arg-type]
    assert not (tmp_path / "store").exists()


def mean_over(*axes: int, keepdims: int = 0, to: str = "embedding") -> onnx.NodeProto:
    return helper.make_node("ReduceMean", ["patches"], [to], axes=axes, keepdims=keepdims)


TEXT = helper.make_tensor_value_info("embedding", TensorProto.STRING, None)
SEQUENCE = helper.make_tensor_sequence_value_info("embedding", TensorProto.FLOAT, None)
MAPS = helper.make_value_info(
    "embedding",
    helper.make_sequence_type_proto(
        helper.make_map_type_proto(
            TensorProto.INT64, helper.make_tensor_type_proto(TensorProto.FLOAT, [])
        )
    ),
)
ODD_OUTPUTS = {
    "without a batch": ([mean_over(0, 1)], None, r"is of shape \[96\] for 2 patches"),
    "a scalar": ([mean_over(0, 1, 2)], None, r"is of shape \[\] for 2 patches"),
    "one number a patch": ([mean_over(1, 2)], None, r"is of shape \[2\] for 2 patches"),
    "the batch behind": (
        [mean_over(1, to="a"), helper.make_node("Transpose", ["a"], ["embedding"], perm=[1, 0])],
        None,
        r"is of shape \[96, 2\] for 2 patches; a backbone gives \[batch, values\]",
    ),
    "the batch summed": ([mean_over(0, 1, keepdims=1)], None, r"is of shape \[1, 1, 96\] for 2"),
    "text": (
        [mean_over(1, to="a"), helper.make_node("Cast", ["a"], ["embedding"], to=8)],
        TEXT,
        "'embedding' is no tensor of numbers",
    ),
    "a sequence": (
        [mean_over(1, to="a"), helper.make_node("SequenceConstruct", ["a"], ["embedding"])],
        SEQUENCE,
        "'embedding' is no tensor of numbers",
    ),
    "maps": (
        [
            mean_over(1, to="a"),
            helper.make_node(
                "ZipMap",
                ["a"],
                ["embedding"],
                classlabels_int64s=list(range(96)),
                domain="ai.onnx.ml",
            ),
        ],
        MAPS,
        "'embedding' is no tensor of numbers",
    ),
}


@pytest.mark.parametrize("kind", ODD_OUTPUTS)
def test_an_output_that_is_no_row_a_patch_says_so(
    address: Location, tmp_path: Path, kind: str
) -> None:
    nodes, gives, says = ODD_OUTPUTS[kind]
    with pytest.raises(ModelError, match=f"effnet.onnx is no backbone: .*{says}") as raised:
        add_given(address, "effnet", **given(tmp_path, net_giving(*nodes, kind=gives)))  # type: ignore[arg-type]
    assert "\n" not in str(raised.value)
    assert not (tmp_path / "store").exists()


def test_more_dimensions_than_one_a_patch_are_values_in_a_row(
    address: Location, tmp_path: Path
) -> None:
    content = net_giving(mean_over(1, keepdims=1))
    assert add_given(address, "effnet", **given(tmp_path, content)).values == 96  # type: ignore[arg-type]


def test_what_no_model_could_repeat_is_refused(address: Location, tmp_path: Path) -> None:
    said = given(tmp_path)
    for changes, says in (
        ({"licence": "x" * 1_001}, "--licence has 1,001 characters, and may have 1,000; give its"),
        ({"licence": "caf\udce9"}, r"--licence is 'caf\\xe9', which is not UTF-8"),
        ({"output": "caf\udce9"}, r"--output is 'caf\\xe9', which is not UTF-8"),
    ):
        with pytest.raises(ModelError, match=says):
            add_given(address, "effnet", **{**said, **changes})  # type: ignore[arg-type]
    assert not (tmp_path / "store").exists()
    longest = {**said, "licence": "x" * 1_000}
    record = add_given(address, "effnet", **longest)  # type: ignore[arg-type]
    licences = licences_of(Store.open(address), find_preset(Store.open(address), "effnet"))
    checked_params({"licences": licences}, where="params.json")
    assert record.licence == licences[0]["licence"] == "x" * 1_000


def test_a_file_whose_name_is_not_utf8_leaves_nothing_half_written(
    address: Location, tmp_path: Path
) -> None:
    said = given(tmp_path)
    file = tmp_path / "caf\udce9.onnx"
    try:
        file.write_bytes(STAND_IN)
    except OSError:
        pytest.skip("this file system takes no such name")
    record = add_given(address, "effnet", **{**said, "file": file})  # type: ignore[arg-type]
    assert record.source == r"the file caf\xe9.onnx"
    assert Store.open(address).verify() == []


@pytest.mark.parametrize("where", ["weights.bin", "deeper/../weights.bin"])
def test_weights_beside_a_file_are_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "deeper").mkdir()
    model = onnx.load_from_string(mean_net())
    (weights,) = model.graph.initializer
    (tmp_path / "weights.bin").write_bytes(weights.raw_data)
    set_external_data(weights, where, 0, len(weights.raw_data))
    weights.ClearField("raw_data")

    with pytest.raises(ModelError, match=r"no ONNX file that runs here: .*[Ee]xternal data path"):
        Net(model.SerializeToString(), output="embedding")
