"""What the Topics page says in words; pure functions over what was read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.drawing.durations import duration
from tracing.projections.topic_reading import PartitionLine
from tracing.web.address import encode_id
from tracing.web.present import Sign, signs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tracing.models import TopicFacts
    from tracing.projections.topic_reading import TopicLine

# Less than this, or than a few seconds of traffic, is the ordinary beat of a poll.
BEHIND = 100
BEHIND_S = 5
MAX_WARNINGS = 8

SIGNS = signs(
    Sign("running", "●", "reading", "ok", "read by an ingestor that is alive"),
    Sign("behind", "!", "behind", "late", "more waits than a few seconds of traffic"),
    Sign("waiting", "◐", "waiting", "back", "its ingestor waits for the broker or for room"),
    Sign("stale", "✕", "nobody reads it", "fail", "no ingestor that is alive holds it"),
    Sign("stopped", "○", "stopped", "ghost", "it ended as it was told to"),
)


class Notice(msgspec.Struct, frozen=True):
    """A sentence that a person should read, and where it leads."""

    tone: str
    symbol: str
    words: str
    url: str


def topic_url(name: str) -> str:
    """Return the page of a topic."""
    return f"/topics/{encode_id(name)}"


def is_behind(line: PartitionLine) -> bool:
    """Tell whether more waits than the ordinary beat of a poll leaves."""
    return line.lag > max(BEHIND, BEHIND_S * line.rate)


def sign_of(line: TopicLine | PartitionLine) -> Sign:
    """Return the sign of a topic or a partition."""
    if line.state != "running":
        return SIGNS[line.state]
    parts = (line,) if isinstance(line, PartitionLine) else line.partitions
    return SIGNS["behind" if any(is_behind(part) for part in parts) else "running"]


def warnings(lines: Iterable[TopicLine]) -> tuple[list[Notice], int]:
    """Return the worst sentences, at most `MAX_WARNINGS`, and how many more there are."""
    ranked: list[tuple[int, int, Notice]] = []
    for line in lines:
        ranked.extend(_of_topic(line))
    ranked.sort(key=lambda item: (item[0], -item[1], item[2].words))
    said = [item[2] for item in ranked]
    return said[:MAX_WARNINGS], max(len(said) - MAX_WARNINGS, 0)


def _of_topic(line: TopicLine) -> list[tuple[int, int, Notice]]:
    url = topic_url(line.name)
    found = []
    for part in line.partitions:
        place = f"{line.name}[{part.number}]"
        if part.begin is not None and part.position is not None and part.begin > part.position:
            gone = part.begin - part.position
            words = f"retention is ahead of us in {place}: {_records(gone)} are gone already"
            ranked = Notice("fail", "✕", words, url)
            found.append((0, gone, ranked))
        if part.state == "running" and is_behind(part):
            words = f"{place} is {part.lag:,} behind"
            found.append((2, part.lag, Notice("late", "!", words, url)))
        if part.lost:
            words = f"retention removed {_records(part.lost)} of {place} before we read them"
            found.append((3, part.lost, Notice("fail", "✕", words, url)))
    if line.state != "running":
        verb = "nobody reads" if line.state == "stale" else "the broker does not answer for"
        found.append((1, line.lag, Notice("fail", "✕", f"{verb} {line.name}", url)))
    if line.undecodable:
        words = f"{_records(line.undecodable)} of {line.name} could not be decoded"
        found.append((4, line.undecodable, Notice("back", "!", words, f"{url}#undecodable")))
    return found


def _records(count: int) -> str:
    return f"{count:,} record{'' if count == 1 else 's'}"


def retention(facts: TopicFacts | None) -> str:
    """Return how long the broker keeps records: `7 d`, `512.0 MB`, `compacted`, '' if unknown."""
    if facts is None:
        return ""
    said = []
    if "compact" in facts.cleanup:
        said.append("compacted")
    if facts.retention_ms is not None and facts.cleanup != "compact":
        said.append("for ever" if facts.retention_ms < 0 else duration(facts.retention_ms * 1_000))
    if facts.retention_bytes is not None and facts.retention_bytes >= 0:
        said.append(f"{facts.retention_bytes / 1_048_576:,.0f} MB")
    return " · ".join(said)


def numbers(parts: Sequence[int]) -> str:
    """Return partition numbers with those in a row as ranges."""
    ranges: list[list[int]] = []
    for number in sorted(parts):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1][1] = number
        else:
            ranges.append([number, number])
    return ", ".join(f"{a}\N{EN DASH}{b}" if a != b else f"{a}" for a, b in ranges)
