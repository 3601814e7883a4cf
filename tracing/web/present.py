"""Words, symbols and numbers as pages show them: one table for every state, mark and service."""

from __future__ import annotations

import functools
import hashlib
import re
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from tracing.domain.failure import Tier
from tracing.domain.marks import LABELS, SLUGS, Mark
from tracing.domain.rules import BY_NAME, Role, Roles
from tracing.domain.saga.kinds import imperative
from tracing.drawing.durations import duration as duration
from tracing.projections import reading

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tracing.domain.derive import State

COLOURS = 8
# With this salt the services of the usual tutorials get colours that differ from each other.
_SALT = b"257638"
# A namespace's part with its separator; a version at the end (`.v2`) belongs to the name.
_SEPARATED = re.compile(r"[^./:]*[./:]+(?=.)", re.DOTALL)
_VERSION = re.compile(r"[./:]v?\d[\d.]*$", re.I)
# `Placed` of `OrderPlaced`, `Reserve` of `ReserveStock`; a name in another style stays whole.
_LAST_WORD = re.compile(r"(?<=[a-z0-9])[A-Z][a-z]{2,}$")
_FIRST_WORD = re.compile(r"^[A-Z][a-z]{2,}(?=[A-Z])")
_GENERIC = {"service", "svc", "ms", "app"}


class Sign(msgspec.Struct, frozen=True):
    """How a state looks: `slug` as in addresses, `tone` as in CSS classes."""

    slug: str
    symbol: str
    word: str
    tone: str
    meaning: str


def signs(*told: Sign) -> dict[str, Sign]:
    """Return signs by their slugs, in this order: a table that pages and their legends share."""
    return {sign.slug: sign for sign in told}


STATES = signs(
    Sign("running", "◐", "running", "run", "open, with news in the last 30 s"),
    Sign("quiet", "○", "quiet", "ghost", "open, without news for 30 s or more"),
    Sign("failed", "✕", "failed", "fail", "an event says that something failed"),
    Sign("compensated", "↩", "compensated", "back", "earlier steps were taken back"),
    Sign("done", "●", "done", "ok", "reached an event that ends a flow"),
    Sign("plain", "·", "plain", "ghost", "records without an envelope"),
)
# What a record is among those of one event.
TIERS = {
    Tier.PLAIN: Sign("event", "●", "the event", "ok", "on its ordinary topic"),
    Tier.RETRIED: Sign("retried", "↻", "sent again", "run", "a retry by eventviz"),
    Tier.WAITING: Sign("waiting", "◐", "retry topic", "back", "waited for another try"),
    Tier.DEAD: Sign("dead", "✕", "dead letter", "fail", "given up"),
}


class Service(msgspec.Struct, frozen=True):
    """A service as shown: its name, two letters, and a colour from 1 to 8 (0: no service)."""

    name: str
    initials: str
    colour: int


class Step(msgspec.Struct, frozen=True):
    """One type in a flow's strip. `tone` is '', 'fail' or 'back'.

    `lead`, `label` and `trail` make the name; where there is little room, `label` alone is shown.
    """

    lead: str
    label: str
    trail: str
    title: str
    service: Service
    tone: str
    count: int


def display_state(state: State, *, last_ms: int, now_ms: int) -> str:
    """Return the slug of the state to show; an open flow is running or quiet, by its age."""
    return reading.display_state(state, last_ms, now_ms)


@functools.lru_cache(maxsize=2_000)
def service_of(name: str) -> Service:
    """Return initials and a colour that never change for a name."""
    if not name:
        return Service("", "\N{EN DASH}", 0)
    words = [word for word in re.split(r"[^\w]+|_+|(?<=[a-z])(?=[A-Z])", name) if word]
    telling = [word for word in words if word.lower() not in _GENERIC] or words or [name]
    initials = telling[0][0] + telling[1][0] if len(telling) > 1 else telling[0][:2]
    digest = hashlib.blake2b(name.encode(), digest_size=8, salt=_SALT).digest()
    return Service(name, initials.upper(), digest[0] % COLOURS + 1)


def steps_of(strip: Iterable[tuple[str, str, int]], roles: Roles = BY_NAME) -> list[Step]:
    """Return a flow's strip with short labels; the full type stays in the title."""
    held = list(strip)
    common = namespace([event_type for event_type, _, _ in held])
    names = [event_type[len(common) :] for event_type, _, _ in held]
    shorts = [_short(name) for name in names]
    often = Counter(shorts)
    steps = []
    for name, short, (event_type, service, count) in zip(names, shorts, held, strict=True):
        tone = tone_of(roles.of(event_type))
        # What failed or went back is said in full, and so is what another name is called too.
        label = short if not tone and often[short] == 1 else name
        lead, _, trail = name.partition(label) if label else ("", "", "")
        title = _title(event_type, service, count)
        steps.append(Step(lead, label, trail, title, service_of(service), tone, count))
    return steps


def _short(name: str) -> str:
    """Return the word that tells most: what happened, or what a command asks for."""
    found = _FIRST_WORD.search(name) if imperative(name) else _LAST_WORD.search(name)
    return found[0] if found else name


def _title(event_type: str, service: str, count: int) -> str:
    times = f" \N{MULTIPLICATION SIGN}{count:,}" if count > 1 else ""
    return f"{event_type} · {service or 'no service'}{times}"


def namespace(types: Iterable[str]) -> str:
    """Return what all types begin with up to a separator (`com.acme.`), or ''.

    Only whole namespaces are left out, and of all types alike, so what remains stays unambiguous.
    """
    spaces = [_SEPARATED.findall(_VERSION.sub("", event_type)) for event_type in types]
    shared = []
    for parts in zip(*spaces, strict=False):
        if len(set(parts)) > 1:
            break
        shared.append(parts[0])
    return "".join(shared)


def tone_of(role: Role) -> str:
    """Return 'fail' or 'back' for a type that fails or compensates, else ''."""
    if role & Role.FAILED:
        return "fail"
    return "back" if role & Role.COMPENSATION else ""


def mark_signs(marks: int) -> list[tuple[str, str]]:
    """Return (slug, label) of each mark in a sum of bits."""
    return [(SLUGS[mark], LABELS[mark]) for mark in Mark if marks & mark]


def reason_words(reason: str) -> str:
    """Return a failure's reason on one line, a code as words (`card_declined`: card declined)."""
    flat = " ".join(reason.split())[:200]
    return re.sub(r"[_-]+", " ", flat) if re.fullmatch(r"[\w-]+", flat) else flat


def short_id(text: str, limit: int = 14) -> str:
    """Return an id that fits a column: head…tail, so that ids with one prefix stay apart."""
    flat = " ".join(text.split()) or text
    if len(flat) <= limit:
        return flat
    head = (limit - 1) // 2
    return f"{flat[:head]}…{flat[-(limit - 1 - head) :]}"


def ago(ms: int, now_ms: int) -> str:
    """Return how long ago: `now`, `14 s ago`, `3 min ago`, `5 h ago`, `12 d ago`, or `in 4 s`."""
    seconds = (now_ms - ms) // 1_000
    size = abs(seconds)
    if size < 2:
        return "now"
    sizes = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))
    divisor, unit = next(item for item in sizes if size >= item[0])
    words = f"{size // divisor:,} {unit}"
    return f"{words} ago" if seconds > 0 else f"in {words}"


@functools.lru_cache(maxsize=1_000)
def iso(ms: int) -> str:
    """Return a time as ISO 8601 in UTC with milliseconds; '' when no calendar has it."""
    try:
        moment = datetime.fromtimestamp(ms / 1_000, UTC)
    except (ValueError, OverflowError, OSError):
        return ""
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def clock(ms: int) -> str:
    """Return the time of day in UTC with milliseconds, `12:04:17.802`."""
    return iso(ms)[11:23]
