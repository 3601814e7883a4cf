"""Filter menus: links that work without JavaScript, and a field for a name not among them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Choice(msgspec.Struct, frozen=True):
    """One entry of a filter's menu."""

    label: str
    url: str
    current: bool


class Menu(msgspec.Struct, frozen=True):
    """A filter's menu. `free` adds a field for any text."""

    name: str
    title: str
    value: str
    choices: list[Choice]
    free: bool


def menu(
    url: Callable[..., str],
    given: Mapping[str, str],
    name: str,
    labels: Mapping[str, str],
    *,
    title: str = "",
    free: bool = False,
) -> Menu:
    """Return the menu of one filter; its current entry takes the filter off again."""
    value = given.get(name, "")
    choices = [
        Choice(label, url(**{name: "" if text == value else text}), text == value)
        for text, label in labels.items()
    ]
    return Menu(name, title or name.capitalize(), value, choices, free)
