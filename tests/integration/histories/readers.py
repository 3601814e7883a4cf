"""What ingestors do with what happens: read, crash, take over, go back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.integration.histories.world import PARTITIONS, READERS, TOPICS, Tape, World, schema_of
from tracing.domain.errors import CheckpointMovedError
from tracing.models.source import record_id
from tracing.projections import flows
from tracing.projections import store as storing
from tracing.projections.store import Slice, store

# How many records of each partition a poll brings.
COUNTS = st.lists(st.sampled_from([1, 2, 5, 0]), min_size=4, max_size=4)


class CrashError(Exception):
    """The ingestor is gone."""


class Readers(World):
    """Two ingestors that crash, rebalance and go back."""

    @rule(reader=st.sampled_from(READERS), counts=COUNTS)
    def read(self, reader: int, counts: list[int]) -> None:
        """Poll some partitions from where this reader believes to be, and store the batch."""
        batch = self._batch(reader, counts)
        if not batch:
            return
        slices = [part for _, part in batch]
        if any(part.start != tape.stored for tape, part in batch):
            with pytest.raises(CheckpointMovedError):
                store(slices, self.catalogue)
            self.positions[reader] = {}
            return
        store(slices, self.catalogue)
        for tape, part in batch:
            tape.stored = self.positions[reader][part.partition_id] = part.end
            self.waits.update(
                record_id(tape.partition_id, record.offset)
                for record in part.records
                if (schema := schema_of(record)) and schema not in self.known
            )

    @rule(
        reader=st.sampled_from(READERS),
        counts=COUNTS,
        where=st.sampled_from(["before", "within", "behind"]),
    )
    def crash(self, reader: int, counts: list[int], where: str) -> None:
        """Let a reader die before, within or behind the writing of its batch's read models."""
        batch = self._batch(reader, counts)
        real = storing.project

        def dying(*given: Any) -> None:
            if where == "within":
                flows.project(*given)
            elif where == "behind":
                real(*given)
            raise CrashError

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(storing, "project", dying)
            with pytest.raises((CrashError, CheckpointMovedError)):
                store([part for _, part in batch], self.catalogue)
        self.positions[reader] = {}

    def _batch(self, reader: int, counts: list[int]) -> list[tuple[Tape, Slice]]:
        polled = [
            (tape, self._poll(tape, self._position(reader, tape), count))
            for (_, tape), count in zip(sorted(self.tapes.items()), counts, strict=True)
            if count
        ]
        return [(tape, part) for tape, part in polled if part is not None]

    def _position(self, reader: int, tape: Tape) -> int:
        """Return where a reader goes on: a new one asks for the checkpoint, an old one knows."""
        known = self.positions[reader]
        return known.setdefault(tape.partition_id, tape.stored)

    def _poll(self, tape: Tape, start: int, count: int) -> Slice | None:
        """Return the next records behind a position, as the consumer hands them over."""
        if start < tape.begin:
            return Slice(
                partition_id=tape.partition_id, start=start, end=tape.begin, records=[], gap=True
            )
        records = [record for record in tape.records if record.offset >= start][:count]
        if not records:
            return None
        end = records[-1].offset + 1
        return Slice(partition_id=tape.partition_id, start=start, end=end, records=records)

    @rule(reader=st.sampled_from(READERS))
    def rebalance(self, reader: int) -> None:
        """Give this reader the other one's positions, however old they are."""
        self.positions[reader] = dict(self.positions[1 - reader])

    @rule(
        reader=st.sampled_from(READERS),
        place=st.tuples(st.sampled_from(TOPICS), st.sampled_from(PARTITIONS)),
        back=st.integers(1, 3),
    )
    def seek_back(self, reader: int, place: tuple[str, int], back: int) -> None:
        """Let the client stand before what is stored, as after a lost commit, and read on."""
        tape = self.tapes[place]
        self.positions[reader][tape.partition_id] = max(0, tape.stored - back)
        self.read(reader, [5 if one == place else 0 for one in sorted(self.tapes)])
