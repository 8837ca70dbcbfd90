"""Windows that are kept are the very windows, and a training on them is the very training."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from learnable_rows import ROWS_PER_SHARD
from trainings import ROWS, SHORT, Kept, assert_same, fit, undisturbed_and_resumed

from genre_model.errors import InvalidSpec
from genre_model.learning.augmenting.crops import Crops
from genre_model.learning.batches import RowIndex, shuffled_batches
from genre_model.learning.feeding.resident import Resident, Whereabouts
from genre_model.recipe import AugmentSpec, TrainSpec

pytestmark = pytest.mark.whole

SHARD, WINDOWS, BANDS, FRAMES = 4, 3, 2, 5
AUGMENTED = {"augmentation": AugmentSpec(crop_windows=2, gain=2, mixup=0.2), "scale": "decibel"}


def shard(number: int) -> np.ndarray:
    generator = np.random.default_rng(number)
    return generator.normal(size=(SHARD, WINDOWS, BANDS, FRAMES)).astype(np.float16)


def an_index(rows: list[int], windows: list[int]) -> RowIndex:
    return RowIndex(
        np.array(rows), np.zeros(len(rows), np.int32), np.array(windows), np.array(rows) + 1_000
    )


ROWS_AND_WINDOWS = st.lists(
    st.tuples(st.integers(0, 19), st.integers(1, WINDOWS)),
    min_size=1,
    max_size=12,
    unique_by=lambda pair: pair[0],
)


@settings(deadline=None)
@given(ROWS_AND_WINDOWS, st.sampled_from([0, 1, 2]), st.integers(0, 9))
def test_where_windows_and_crops_are_is_where_they_would_be_read(
    pairs: list[tuple[int, int]], long: int, seed: int
) -> None:
    index = an_index([row for row, _ in pairs], [count for _, count in pairs])
    kept = Resident.gather(index, shard, rows_per_shard=SHARD)

    def batches(*, is_kept: bool) -> list[tuple[np.ndarray, np.ndarray]]:
        crops = Crops(long, np.random.default_rng([seed, 2])) if long else None
        found = shuffled_batches(
            index,
            kept.numbers if is_kept else shard,
            rows_per_shard=SHARD,
            batch_size=4,
            generator=np.random.default_rng(seed),
            pooled_shards=2,
            instead=Whereabouts(FRAMES, crops) if is_kept else crops,
        )
        return list(found)

    for (read, places), (where, kept_places) in zip(
        batches(is_kept=False), batches(is_kept=True), strict=True
    ):
        np.testing.assert_array_equal(places, kept_places)
        frames = read.shape[-1]
        at = where[:, :1] + (where[:, 1:2] + np.arange(frames)) % where[:, 2:]
        np.testing.assert_array_equal(np.swapaxes(kept.frames[at], 1, 2), read)


def test_all_windows_are_kept_once() -> None:
    index = an_index([9, 2, 4], [1, 3, 2])
    kept = Resident.gather(index, shard, rows_per_shard=SHARD)
    expected = np.concatenate([shard(0)[2], shard(1)[0, :2], shard(2)[1, :1]])
    np.testing.assert_array_equal(kept.windows(), expected)
    assert kept.frames.shape == (6 * FRAMES, BANDS)
    left = kept.handed_over()
    assert left.size == kept.size == kept.frames.nbytes
    assert left.frames.nbytes == 0


def test_embeddings_are_kept_too() -> None:
    def values(number: int) -> np.ndarray:
        return shard(number)[..., 0]

    kept = Resident.gather(an_index([1, 2], [3, 1]), values, rows_per_shard=SHARD)
    np.testing.assert_array_equal(kept.windows(), np.concatenate([values(0)[1], values(0)[2, :1]]))


def test_the_layer_gives_what_is_asked_for() -> None:
    from genre_model.learning.feeding.kept_rows import KeptRows

    kept = Resident.gather(an_index([0, 1], [3, 2]), shard, rows_per_shard=SHARD)
    where = np.array([[0, 4, 15], [15, 8, 10]], np.int32)
    found = np.asarray(KeptRows(kept, (BANDS, FRAMES))(where))
    first = np.concatenate(list(shard(0)[0]), axis=-1)[:, 4:9]
    joined = np.concatenate(list(shard(0)[1, :2]), axis=-1)
    np.testing.assert_array_equal(found[0], first)
    np.testing.assert_array_equal(found[1], np.concatenate([joined[:, 8:], joined[:, :3]], axis=-1))


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, id="plain"),
        pytest.param(AUGMENTED, id="augmented", marks=pytest.mark.slow),
    ],
)
def test_a_training_is_the_same_kept_or_read_and_reads_once(options: dict[str, Any]) -> None:
    spec = replace(SHORT, epochs=2)
    calls: list[int] = []

    def counting(number: int) -> np.ndarray:
        calls.append(number)
        return ROWS[number * ROWS_PER_SHARD : (number + 1) * ROWS_PER_SHARD]

    said: list[str] = []
    kept = fit(spec=replace(spec, feed="resident"), read_shard=counting, say=said.append, **options)
    assert_same(kept, fit(spec=spec, **options))
    assert "training windows (0 MB) are kept in memory (training.feed)" in said[0]
    # statistics, then what is kept; validation's two shards in each epoch
    assert len(calls) == 2 * 7 + 2 * 2


@pytest.mark.slow
def test_a_training_of_kept_windows_that_was_cut_off_goes_on() -> None:
    spec = replace(SHORT, epochs=2, feed="resident")
    undisturbed, resumed = undisturbed_and_resumed(spec, after=1, **AUGMENTED)
    assert_same(resumed, undisturbed)


def test_the_size_decides_unless_somebody_does(monkeypatch: pytest.MonkeyPatch) -> None:
    from genre_model.learning.feeding import budget

    monkeypatch.setattr(budget, "free_memory", lambda: 10**9)

    def told(feed: str, *, device: str, windows: int = 64_000) -> tuple[bool, str]:
        monkeypatch.setattr(budget, "training_device", lambda: device)
        spec = TrainSpec(feed=feed)  # type: ignore[arg-type]
        return budget.is_resident(spec, windows=windows, shape=(128, 128))

    assert told("auto", device="H100") == (
        True,
        "64,000 training windows (2,097 MB) are kept in the device's memory (training.feed)",
    )
    assert told("auto", device="H100", windows=640_000) == (
        False,
        "640,000 training windows (20,972 MB) are read in each epoch, above 4,295 MB "
        "(training.feed)",
    )
    assert told("resident", device="H100", windows=640_000)[0]
    assert not told("streaming", device="CPU", windows=1)[0]
    assert told("auto", device="CPU", windows=1)[0]


@pytest.mark.parametrize(("gigabytes", "is_kept"), [(6, False), (8, True), (None, True)])
def test_a_gpu_that_tells_its_memory_keeps_a_third_of_it(
    monkeypatch: pytest.MonkeyPatch, gigabytes: int | None, is_kept: bool
) -> None:
    from genre_model.learning.feeding import budget

    monkeypatch.setattr(budget, "training_device", lambda: "a GPU")
    memory = gigabytes and gigabytes * 10**9
    monkeypatch.setattr(budget, "device_memory", lambda: memory)
    assert budget.is_resident(TrainSpec(), windows=64_000, shape=(128, 128))[0] is is_kept


@pytest.mark.parametrize("where", ["Resident.gather", "KeptRows"])
def test_windows_that_do_not_fit_where_they_are_to_be_kept_are_told(
    where: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    def fail(*_: object, **__: object) -> None:
        raise (
            MemoryError
            if where != "KeptRows"
            else tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        )

    monkeypatch.setattr(f"genre_model.learning.epochs.{where}", fail)
    with pytest.raises(InvalidSpec) as caught:
        fit(spec=replace(SHORT, feed="resident"))
    assert str(caught.value) == (
        "336 training windows (0 MB) do not fit into the memory of CPU, where they were to be "
        "kept; set training.feed=streaming, which reads them in each epoch"
    )
    said: list[str] = []
    monkeypatch.setattr("genre_model.learning.epochs.is_resident", lambda *_, **__: (True, "kept"))
    read = fit(spec=replace(SHORT, epochs=1, feed="auto"), say=said.append)
    assert len(read.history) == 1
    assert said == [
        "kept",
        "336 training windows (0 MB) do not fit after all, and are read in each epoch "
        "(training.feed)",
    ]


def test_a_containers_limit_counts_as_memory(tmp_path: Path) -> None:
    from genre_model.learning.feeding.budget import free_memory

    own = tmp_path / "own"
    own.write_text("1:name=systemd:/else\n0::/outer/inner\n")

    def limited(group: str, *, most: str, used: int, cached: int) -> None:
        folder = tmp_path / group
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "memory.max").write_text(f"{most}\n")
        (folder / "memory.current").write_text(f"{used}\n")
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {cached}\n")

    unlimited = free_memory(tmp_path, own)
    assert unlimited > 10_000
    limited("outer/inner", most="max", used=400, cached=300)
    assert free_memory(tmp_path, own) > 10_000
    limited("outer", most="1000", used=400, cached=300)
    assert free_memory(tmp_path, own) == 900
    limited("outer/inner", most="500", used=450, cached=0)
    assert free_memory(tmp_path, own) == 50
    limited("outer/inner", most="500", used=4_500, cached=0)
    assert free_memory(tmp_path, own) == 0
    assert free_memory(tmp_path, tmp_path / "nowhere") > 10_000


def test_how_rows_are_fed_makes_no_other_model() -> None:
    assert TrainSpec(feed="resident").digest() == TrainSpec(feed="streaming").digest()
    assert TrainSpec(feed="resident").digest() == TrainSpec().digest()


def test_a_training_goes_on_compiled_for_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from genre_model.learning import epochs, training

    class Noted(Kept):
        """Notes whether each network that is kept is compiled by XLA."""

        def save(self, state: Any) -> None:
            super().save(state)
            compiled.append(state.network.jit_compile)

    compiled: list[bool] = []
    kept = Noted()
    monkeypatch.setattr(epochs, "is_compiled", lambda _spec: True)
    fit(spec=replace(SHORT, epochs=1), checkpoints=kept)
    monkeypatch.setattr(training, "is_compiled", lambda _spec: False)
    fit(spec=replace(SHORT, epochs=2), checkpoints=kept)
    assert compiled == [True, False]
