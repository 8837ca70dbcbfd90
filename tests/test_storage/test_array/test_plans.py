"""Planning rows: known cases as tables, laws by Hypothesis on a store of integers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.array.layout import ABSENT, ROWS_PER_SHARD
from storage.array.plans import AudioState, Known, ShardWork, WorkPlan, plan_work, tracks_to_hash
from storage.array.tables import NO_SIZE, PLAN_COLUMNS, empty, normalised
from storage.errors import InvalidPlan

RECORD_COLUMNS = ("row", "status", "windows", "sha256", "size", "etag")


def etag_of(audio: tuple[int, int]) -> str:
    """Another time or another content is another etag (what has neither cannot be told)."""
    return f"{audio[1]}.{audio[0]}"


@dataclass
class Library:
    """Audio as integers: a content and a time a track; sizes collide on purpose."""

    audio: dict[int, tuple[int, int] | None]

    def wanted(self) -> list[AudioState]:
        states = []
        for track, audio in self.audio.items():
            size, etag = (None, None) if audio is None else (100 + audio[0] % 2, etag_of(audio))
            states.append(AudioState(track, f"{track}.mp3", size, etag))
        return states

    def hashes(self, asked: Iterable[AudioState]) -> dict[int, str]:
        contents = {state.track_id: self.audio[state.track_id] for state in asked}
        return {track: str(audio[0]) for track, audio in contents.items() if audio}


@dataclass
class Ledger:
    """A store without bytes: stored plans, records, which shards are done, what is savable."""

    plans: list[pd.DataFrame] = field(default_factory=list)
    records: dict[int, tuple[str, int, str, int, str]] = field(default_factory=dict)
    done: set[int] = field(default_factory=set)
    savable: set[int] = field(default_factory=set)

    @property
    def rows(self) -> pd.DataFrame:
        parts = [plan for plan in self.plans if len(plan)]
        return pd.concat(parts, ignore_index=True) if parts else empty(PLAN_COLUMNS)

    @property
    def known(self) -> Known:
        lines = [(row, *record) for row, record in self.records.items()]
        records = normalised(pd.DataFrame(lines, columns=list(RECORD_COLUMNS)))
        return Known.gather(self.rows, records, done=self.done, savable=self.savable)

    def plan(self, library: Library, *, retry: bool = False) -> WorkPlan:
        known, wanted = self.known, library.wanted()
        hashes = library.hashes(tracks_to_hash(known, wanted))
        return plan_work(known, wanted, hashes=hashes, retry_quarantined=retry)

    def store(self, plan: WorkPlan) -> None:
        self.plans.append(plan.new_rows)

    def write(self, work: ShardWork, library: Library) -> None:
        for row, state in work.rows:
            audio = library.audio[state.track_id]
            if audio is None:
                self.records[row] = ("missing", 0, "", NO_SIZE, "")
                continue
            content = audio[0]
            status, windows = ("bad", 0) if content % 5 == 0 else ("ok", 10)
            self.records[row] = (status, windows, str(content), 100 + content % 2, etag_of(audio))
        for row in work.salvage:
            if row not in self.savable:
                self.records[row] = (ABSENT, 0, "", NO_SIZE, "")
        for row in work.absent:
            self.records[row] = (ABSENT, 0, "", NO_SIZE, "")
        self.done.add(work.shard)
        self.savable -= set(work.planned)

    def damage(self, shard: int, *, lost: frozenset[int]) -> None:
        """Undo a shard; rows of it in `lost` (places) cannot be read any more."""
        self.done.discard(shard)
        first = shard * ROWS_PER_SHARD
        for row in range(first, first + ROWS_PER_SHARD):
            record = self.records.get(row)
            if record and record[0] != ABSENT and (row - first not in lost or not record[1]):
                self.savable.add(row)

    def finish(self, library: Library, *, retry: bool = False) -> WorkPlan:
        plan = self.plan(library, retry=retry)
        self.store(plan)
        for work in plan.shards:
            self.write(work, library)
        return plan

    def refresh(self, plan: WorkPlan) -> None:
        for row, etag in plan.refresh[["row", "etag"]].to_numpy().tolist():
            self.records[row] = (*self.records[row][:4], etag)


def rows_of(plan: WorkPlan) -> dict[int, int]:
    return dict(zip(plan.current["track_id"].tolist(), plan.current["row"].tolist(), strict=True))


def actions_of(plan: WorkPlan) -> dict[int, str]:
    pairs = zip(plan.current["track_id"].tolist(), plan.current["action"].tolist(), strict=True)
    return dict(pairs)


class TestCases:
    def test_the_first_plan_numbers_tracks_in_order(self) -> None:
        ledger, library = Ledger(), Library({7: (1, 1), 3: (1, 1), 5: None})
        plan = ledger.plan(library)
        assert rows_of(plan) == {3: 0, 5: 1, 7: 2}
        assert [work.shard for work in plan.shards] == [0]
        assert plan.required == (0,)
        assert plan.shards[0].rows[1] == (1, AudioState(5, "5.mp3", None, None))

    def test_new_tracks_start_on_a_fresh_shard(self) -> None:
        ledger = Ledger()
        ledger.finish(Library({1: (1, 1), 2: (1, 1)}))
        plan = ledger.finish(Library({1: (1, 1), 2: (1, 1), 3: (1, 1)}))
        assert rows_of(plan) == {1: 0, 2: 1, 3: ROWS_PER_SHARD}
        assert actions_of(plan) == {1: "reuse", 2: "reuse", 3: "decode"}
        assert plan.reused == {1: 0, 2: 1}
        assert [work.shard for work in plan.shards] == [1]

    def test_same_bytes_with_another_time_keep_their_row(self) -> None:
        ledger = Ledger()
        ledger.finish(Library({1: (1, 1), 2: (1, 1)}))
        copy = Library({1: (1, 2), 2: (1, 2)})
        assert [state.track_id for state in tracks_to_hash(ledger.known, copy.wanted())] == [1, 2]
        plan = ledger.finish(copy)
        assert not plan.shards
        assert plan.refresh.to_dict(orient="list") == {
            "row": [0, 1],
            "etag": ["2.1", "2.1"],
            "path": ["1.mp3", "2.mp3"],
        }
        ledger.refresh(plan)
        assert tracks_to_hash(ledger.known, copy.wanted()) == []

    @pytest.mark.parametrize("content", [2, 3], ids=["another size", "same size"])
    def test_changed_audio_gets_a_new_row(self, content: int) -> None:
        ledger = Ledger()
        ledger.finish(Library({1: (1, 1)}))
        plan = ledger.finish(Library({1: (content, 2)}))
        assert rows_of(plan) == {1: ROWS_PER_SHARD}

    def test_audio_that_appears_gets_a_new_row_and_audio_that_goes_keeps_its_own(self) -> None:
        ledger = Ledger()
        ledger.finish(Library({1: None, 2: (1, 1)}))
        assert rows_of(ledger.plan(Library({1: None, 2: None}))) == {1: 0, 2: 1}
        assert rows_of(ledger.plan(Library({1: (1, 1), 2: (1, 1)}))) == {1: 64, 2: 1}

    def test_a_refused_track_stays_so_until_asked(self) -> None:
        ledger, library = Ledger(), Library({1: (5, 1), 2: (1, 1), 3: None})
        ledger.finish(library)
        assert not ledger.plan(library).shards
        again = ledger.finish(library, retry=True)
        assert rows_of(again) == {1: 64, 2: 1, 3: 2}
        assert not ledger.plan(library).shards

    def test_a_killed_retry_is_finished_without_another_row(self) -> None:
        ledger, library = Ledger(), Library({1: (5, 1)})
        ledger.finish(library)
        ledger.store(ledger.plan(library, retry=True))
        for retry in (False, True):
            plan = ledger.plan(library, retry=retry)
            assert rows_of(plan) == {1: 64}
            assert plan.new_rows.empty

    def test_open_rows_are_finished_first(self) -> None:
        ledger = Ledger()
        ledger.store(ledger.plan(Library({1: (1, 1), 2: (1, 1)})))
        plan = ledger.plan(Library({2: (1, 1), 3: (1, 1)}))
        assert rows_of(plan) == {2: 1, 3: 64}
        first = plan.shards[0]
        assert (first.shard, [row for row, _ in first.rows], first.absent) == (0, [1], (0,))

    def test_an_open_row_whose_audio_changed_is_given_up(self) -> None:
        ledger = Ledger()
        ledger.store(ledger.plan(Library({1: (1, 1), 2: (1, 1)})))
        changed = Library({1: (1, 9), 2: (1, 1)})
        plan = ledger.finish(changed)
        assert rows_of(plan) == {1: 64, 2: 1}
        assert plan.shards[0].absent == (0,)
        assert not ledger.plan(changed).shards
        back = ledger.plan(Library({1: (1, 1), 2: (1, 1)}))
        assert rows_of(back) == {1: 64, 2: 1}  # the same bytes, so the newest row counts

    def test_a_shard_that_nobody_wants_is_left_open_and_its_rows_are_not_given_again(self) -> None:
        ledger = Ledger()
        ledger.store(ledger.plan(Library({1: (1, 1)})))
        plan = ledger.finish(Library({2: (1, 1)}))
        assert rows_of(plan) == {2: 64}
        assert [work.shard for work in plan.shards] == [1]
        assert plan.required == (1,)
        assert rows_of(ledger.plan(Library({1: (1, 1)}))) == {1: 0}

    def test_a_damaged_shard_is_decoded_again_where_there_is_audio_and_saved_elsewhere(
        self,
    ) -> None:
        ledger = Ledger()
        ledger.finish(Library({1: (1, 1), 2: (1, 1), 3: (5, 1), 4: (1, 1)}))
        ledger.damage(0, lost=frozenset([3]))
        plan = ledger.plan(Library({1: (1, 1), 2: None, 3: (5, 1), 4: None}))
        assert rows_of(plan) == {1: 0, 2: 1, 3: 2, 4: 64}
        work = plan.shards[0]
        assert [row for row, _ in work.rows] == [0]
        assert work.salvage == (1, 2)
        assert work.absent == (3,)
        assert actions_of(plan) == {1: "decode", 2: "salvage", 3: "salvage", 4: "decode"}

    def test_a_damaged_shard_of_another_catalogue_is_saved_too(self) -> None:
        ledger = Ledger()
        ledger.finish(Library({1: (1, 1)}))
        ledger.damage(0, lost=frozenset())
        plan = ledger.plan(Library({2: (1, 1)}))
        assert [(work.shard, work.salvage) for work in plan.shards] == [(0, (0,)), (1, ())]

    def test_a_track_wanted_twice_is_refused(self) -> None:
        state = AudioState(4, "4.mp3", 1, "1")
        with pytest.raises(InvalidPlan, match="Track 4"):
            plan_work(Ledger().known, [state, state])

    def test_a_row_given_twice_is_refused(self) -> None:
        plan = Ledger().plan(Library({1: (1, 1)})).new_rows
        with pytest.raises(InvalidPlan, match="Row 0"):
            Known.gather(pd.concat([plan, plan]), empty(RECORD_COLUMNS), done=())

    def test_a_done_row_without_record_is_refused(self) -> None:
        plan = Ledger().plan(Library({1: (1, 1)})).new_rows
        with pytest.raises(InvalidPlan, match="Row 0"):
            Known.gather(plan, empty(RECORD_COLUMNS), done=[0])

    def test_nothing_wanted(self) -> None:
        plan = Ledger().plan(Library({}))
        assert (len(plan.current), len(plan.new_rows), plan.shards, plan.required) == (0, 0, (), ())


@dataclass(frozen=True)
class Run:
    """One run: what it wants, how far it gets, and what is damaged afterwards."""

    library: Library
    part: float
    retry: bool
    damaged: frozenset[int]
    lost: frozenset[int]


AUDIO = st.one_of(st.none(), st.tuples(st.integers(1, 5), st.integers(1, 3)))
LIBRARIES = st.dictionaries(st.integers(0, 90), AUDIO, max_size=90).map(Library)
RUNS = st.lists(
    st.builds(
        Run,
        library=LIBRARIES,
        part=st.floats(0, 1),
        retry=st.booleans(),
        damaged=st.frozensets(st.integers(0, 8), max_size=2),
        lost=st.frozensets(st.integers(0, 63), max_size=20),
    ),
    min_size=1,
    max_size=4,
)
settle: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
quick = settings(max_examples=8, **settle)  # pandas costs 60 ms a plan, however small
thorough = settings(max_examples=250, **settle)


def check_plan(ledger: Ledger, library: Library, plan: WorkPlan) -> None:
    rows = pd.concat([part for part in (ledger.rows, plan.new_rows) if len(part)] or [ledger.rows])
    assert rows["row"].is_unique
    assert sorted(rows_of(plan)) == sorted(library.audio)
    assert len(plan.current) == len(library.audio)
    if len(plan.new_rows):
        first = int(plan.new_rows["row"].iloc[0])
        assert first % ROWS_PER_SHARD == 0
        assert first > (ledger.rows["row"].max() if len(ledger.rows) else -1)
    shards = [work.shard for work in plan.shards]
    assert shards == sorted(set(shards))
    owner = dict(zip(rows["row"].tolist(), rows["track_id"].tolist(), strict=True))
    for work in plan.shards:
        assert work.shard not in ledger.done
        assert list(work.planned) == sorted(
            row for row in owner if row // ROWS_PER_SHARD == work.shard
        )
        assert all(owner[row] == audio.track_id for row, audio in work.rows)
    decoded = {row for work in plan.shards for row, _ in work.rows}
    for track, row, action in plan.current[["track_id", "row", "action"]].itertuples(index=False):
        assert owner[row] == track
        assert (action == "decode") == (row in decoded)
        assert (action == "reuse") == (row // ROWS_PER_SHARD in ledger.done)
        assert row // ROWS_PER_SHARD in plan.required


def check_history(runs: list[Run]) -> None:
    """Plan, kill, damage and plan again; at the end all is finished and nothing is left to do."""
    ledger = Ledger()
    for run in runs:
        plan = ledger.plan(run.library, retry=run.retry)
        check_plan(ledger, run.library, plan)
        ledger.store(plan)
        for work in plan.shards[: round(run.part * len(plan.shards))]:
            ledger.write(work, run.library)
        again = ledger.plan(run.library)
        check_plan(ledger, run.library, again)
        assert rows_of(again) == rows_of(plan)
        assert again.new_rows.empty
        for shard in run.damaged & ledger.done:
            ledger.damage(shard, lost=run.lost)
    library = runs[-1].library
    last = ledger.finish(library)
    ledger.refresh(last)
    check_finished(ledger, library, last)


def check_finished(ledger: Ledger, library: Library, plan: WorkPlan) -> None:
    after = ledger.plan(library)
    assert rows_of(after) == rows_of(plan)
    assert (after.shards, len(after.new_rows), len(after.refresh)) == ((), 0, 0)
    assert set(actions_of(after).values()) <= {"reuse"}
    for track, row in rows_of(plan).items():
        audio = library.audio[track]
        if audio is not None:
            assert ledger.records[row][2] == str(audio[0])
        assert ledger.records[row][0] != ABSENT


def check_order(library: Library, is_done_first: Callable[[], bool]) -> None:
    undisturbed, killed = Ledger(), Ledger()
    expected = undisturbed.finish(library)
    killed.store(killed.plan(library))
    for work in killed.plan(library).shards:
        if is_done_first():
            killed.write(work, library)
    killed.finish(library)
    assert killed.records == undisturbed.records
    assert killed.done == undisturbed.done
    assert rows_of(killed.plan(library)) == rows_of(expected)


class TestLaws:
    @given(runs=RUNS)
    @quick
    def test_whatever_happened_before(self, runs: list[Run]) -> None:
        check_history(runs)

    @given(library=LIBRARIES, data=st.data())
    @quick
    def test_any_order_of_finished_shards_gives_the_same_rows(
        self, library: Library, data: st.DataObject
    ) -> None:
        check_order(library, lambda: data.draw(st.booleans()))

    @pytest.mark.faults
    @given(runs=RUNS)
    @thorough
    def test_whatever_happened_before_at_length(self, runs: list[Run]) -> None:
        check_history(runs)


def test_a_hundred_thousand_tracks_are_planned_quickly() -> None:
    count = 106_574
    wanted = [AudioState(2 * n, f"fma_full/{n}.mp3", 1000 + n, str(n)) for n in range(count)]
    began = time.process_time()
    known = Known.gather(empty(PLAN_COLUMNS), empty(RECORD_COLUMNS), done=())
    plan = plan_work(known, wanted)
    assert len(plan.shards) == -(-count // ROWS_PER_SHARD)
    records = pd.DataFrame(
        {
            "row": plan.new_rows["row"],
            "status": "ok",
            "windows": 10,
            "sha256": "a" * 64,
            "size": plan.new_rows["size"],
            "etag": plan.new_rows["etag"],
        }
    )
    known = Known.gather(plan.new_rows, records, done=range(len(plan.shards)))
    assert tracks_to_hash(known, wanted) == []
    assert not plan_work(known, wanted).shards
    assert time.process_time() - began < 10
