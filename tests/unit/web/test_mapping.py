"""How much of the envelope is read, as bars."""

from __future__ import annotations

import pytest

from tracing.projections.mapping_reading import Shares
from tracing.web.mapping.present import shares


@pytest.mark.parametrize(
    ("ids", "causes", "tones"),
    [
        (20, 20, ["ok", "ok"]),
        (20, 8, ["ok", "ok"]),
        (10, 2, ["some", "some"]),
        # Nothing but first events is no fault, nothing without an id is one.
        (0, 0, ["none", ""]),
    ],
)
def test_a_missing_id_is_a_fault_and_a_missing_cause_may_be_none(
    ids: int, causes: int, tones: list[str]
) -> None:
    counted = Shares(records=20, ids=ids, types=20, correlations=20, causes=causes, errors=0)

    told = {share.label: share.tone for share in shares(counted)}

    assert [told["id"], told["cause"]] == tones


def test_an_empty_topic_is_no_fault() -> None:
    counted = Shares(records=0, ids=0, types=0, correlations=0, causes=0, errors=0)

    assert {share.tone for share in shares(counted)} == {""}
