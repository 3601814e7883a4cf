"""The design tokens: every text colour can be read on every ground that it stands on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TOKENS = (Path(__file__).parents[3] / "static/css/tokens.css").read_text()
CSS = Path(__file__).parents[3] / "static/css"
TEXT, SHAPE = 4.5, 3.0
GROUNDS = ("bg", "panel", "sunken", "accent-soft")
TONES = ("ok", "run", "fail", "back", "late")


def block(selector: str) -> dict[str, str]:
    """Return the colours of one block of tokens.css."""
    start = TOKENS.index(selector)
    body = TOKENS[start : TOKENS.index("}", start)]
    return dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", body))


THEMES = {"light": block(":root {"), "dark": block(':root[data-theme="dark"] {')}


def luminance(colour: str) -> float:
    """Return WCAG's relative luminance of `#rrggbb`."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return WCAG's contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3", "accent") for ground in GROUNDS),
    *((tone, f"{tone}-soft") for tone in TONES),
    *((tone, ground) for tone in TONES for ground in ("bg", "panel", "accent-soft")),
    ("accent-ink", "accent"),
]


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_a_text_colour_can_be_read_on_its_ground(theme: str, ink: str, ground: str) -> None:
    colours = THEMES[theme]

    assert contrast(colours[ink], colours[ground]) >= TEXT


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("line", ["line-strong", "ghost", *(f"svc-{n}" for n in range(1, 9))])
def test_a_line_that_means_something_can_be_seen(theme: str, line: str) -> None:
    colours = THEMES[theme]

    assert min(contrast(colours[line], colours[ground]) for ground in ("bg", "panel")) >= SHAPE


def test_dark_by_preference_and_dark_by_choice_are_the_same() -> None:
    assert block(':root:not([data-theme="light"])') == THEMES["dark"]


def test_both_themes_name_the_same_colours() -> None:
    assert THEMES["light"].keys() == THEMES["dark"].keys()


def test_no_other_file_has_a_colour_of_its_own() -> None:
    found = {
        path.name: re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[^{]*\})", path.read_text())
        for path in CSS.glob("*.css")
        if path.name != "tokens.css"
    }

    assert {name: colours for name, colours in found.items() if colours} == {}
