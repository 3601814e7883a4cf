"""Whether a schema may follow others, by the level; the rules are well-kept libraries'. Pure.

Avro: the checker of Apache's own library. JSON Schema: `jsonschema-rs` (`json_judge`). A format
without a judge is said to have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tracing.schemas import avro_judge, json_judge
from tracing.schemas.registry import Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_REASONS = 20


class Candidate(msgspec.Struct, frozen=True):
    """A schema with its references as (name, text), each behind those that it needs.

    `label` is what reasons call it: "version 3".
    """

    type: str
    text: str
    built_on: tuple[tuple[str, str], ...] = ()
    label: str = "the new version"


def judge(level: Level, new: Candidate, old: Sequence[Candidate]) -> Verdict:
    """Tell whether `new` may follow `old`, the versions in ascending order, by a level.

    Only the last one counts unless the level is transitive. Raises BadSchemaError when one of them
    cannot be used.
    """
    if level is Level.NONE or not old:
        return Verdict(compatible=True)
    chosen = list(reversed(old if level.transitive else old[-1:]))
    others = [one for one in chosen if one.type != new.type]
    reasons = [f"It is {new.type}, and {one.label} is {one.type}." for one in others]
    alike = [one for one in chosen if one.type == new.type]
    if new.type == "AVRO":
        reasons += [said for one in alike for said in avro_judge.reasons(level, new, one)]
    elif new.type == "JSON":
        said = json_judge.judged(level, new, alike)
        reasons += said.reasons
        if said.unsure and not reasons:
            return _open(said.unsure)
    elif not reasons:
        return _no_judge(new.type)
    return Verdict(compatible=not reasons, reasons=tuple(reasons[:MAX_REASONS]))


def _open(unsure: Sequence[str]) -> Verdict:
    said = f"It could be neither proved nor disproved that {unsure[0]}: compare them yourself."
    return Verdict(compatible=True, reasons=(said,), judged=False)


def _no_judge(kind: str) -> Verdict:
    said = f"Nobody here can tell whether a {kind} schema is compatible: compare them yourself."
    return Verdict(compatible=True, reasons=(said,), judged=False)
