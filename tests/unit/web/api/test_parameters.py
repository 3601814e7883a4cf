"""Query parameters: a wrong one is named."""

from __future__ import annotations

import pytest

from tracing.web.api import parameters
from tracing.web.api.parameters import BadParameterError


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("", None),
        ("1700000000000", 1_700_000_000_000),
        ("2023-11-14T22:13:20Z", 1_700_000_000_000),
        ("2023-11-14T22:13:20", 1_700_000_000_000),
        ("2023-11-15T00:13:20 02:00", 1_700_000_000_000),
        ("2023-11-14 22:13:20.5", 1_700_000_000_500),
    ],
)
def test_a_time_is_iso_or_milliseconds(given: str, expected: int | None) -> None:
    assert parameters.time_ms({"since": given}, "since") == expected


@pytest.mark.parametrize("given", ["yesterday", "²", "1" * 20, "2023-99-01"])
def test_a_bad_time_names_its_parameter(given: str) -> None:
    with pytest.raises(BadParameterError, match=r"^since: "):
        parameters.time_ms({"since": given}, "since")


@pytest.mark.parametrize("given", ["0", "201", "-1", "x", "٣"])
def test_a_limit_has_bounds(given: str) -> None:
    with pytest.raises(BadParameterError, match=r"^limit: "):
        parameters.limit({"limit": given})


def test_an_unknown_parameter_is_named_with_those_that_exist() -> None:
    with pytest.raises(BadParameterError, match=r"^tpye: unknown; there are type\.$"):
        parameters.check_known({"tpye": "x"}, ("type",))


def test_a_choice_names_its_options() -> None:
    with pytest.raises(BadParameterError, match=r"^state: one of done, failed\.$"):
        parameters.choice({"state": "odd"}, "state", ("done", "failed"))
