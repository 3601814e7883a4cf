"""Draw a benchmark's figures as SVG for the docs; readable on a light and on a dark page."""

from __future__ import annotations

import math
from html import escape
from typing import Any

STYLE = """
text{font:13px system-ui,sans-serif;fill:#1f2328}.quiet{fill:#59636e}
.ours{fill:#0f766e}.peer{fill:#8c959f}.line{fill:none;stroke-width:2}
.line.ours{stroke:#0f766e}.line.two{stroke:#b45309}.grid{stroke:#d1d9e0}.range{stroke:#1f2328}
@media(prefers-color-scheme:dark){text{fill:#f0f6fc}.quiet{fill:#9198a1}
.ours{fill:#2dd4bf}.peer{fill:#656c76}.line.ours{stroke:#2dd4bf}.line.two{stroke:#f59e0b}
.grid{stroke:#3d444d}.range{stroke:#f0f6fc}}
"""
WIDTH, LEFT, RIGHT = 720, 190, 130
ROW, TOP = 34, 40
STEPS = (0.75, 1, 1.5, 2, 2.5, 3, 4, 5, 7.5, 10)


def bars(title: str, rows: list[dict[str, Any]]) -> str:
    """Return horizontal bars: each row has `name`, `ours`, `rate`, `least`, `most` and `note`."""
    most = max(row["most"] for row in rows) or 1
    scale = (WIDTH - LEFT - RIGHT) / most
    parts = [_text(0, 18, title)]
    for number, row in enumerate(rows):
        top = TOP + number * ROW
        wide = row["rate"] * scale
        middle = top + 9
        low, high = LEFT + row["least"] * scale, LEFT + row["most"] * scale
        parts += [
            _text(LEFT - 10, top + 14, row["name"], anchor="end"),
            _bar(top, wide, kind="ours" if row["ours"] else "peer"),
            f'<path class="range" d="M{low:.1f} {middle}H{high:.1f}"/>',
            _text(max(high, LEFT + wide) + 8, top + 14, row["note"], quiet=True),
        ]
    return _svg(parts, TOP + len(rows) * ROW)


def _bar(top: int, wide: float, *, kind: str) -> str:
    return f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{wide:.1f}" height="18" rx="2"/>'


def growth(title: str, lines: dict[str, list[tuple[int, float]]]) -> str:
    """Return lines of events a second over events stored."""
    height, bottom, left = 300, 260, 70
    points = [point for line in lines.values() for point in line]
    right = max(stored for stored, _ in points)
    step = _round_step(max(rate for _, rate in points) / 3)
    across, up = (WIDTH - left - 20) / right, (bottom - TOP - 20) / (4 * step)
    parts = [_text(0, 18, title)]
    for number in range(5):
        y = bottom - number * step * up
        parts.append(f'<path class="grid" d="M{left} {y:.1f}H{WIDTH - 20}"/>')
        mark = f"{number * step / 1000:g}k/s"
        parts.append(_text(left - 10, y + 4, mark, anchor="end", quiet=True))
        x = left + right * across * number / 4
        parts.append(_text(x, bottom + 20, _short(right * number / 4), anchor="middle", quiet=True))
    for number, ((name, line), kind) in enumerate(
        zip(lines.items(), ("ours", "two"), strict=False)
    ):
        path = "L".join(f"{left + at * across:.1f} {bottom - rate * up:.1f}" for at, rate in line)
        key = left + number * 220
        parts.append(f'<path class="line {kind}" d="M{path}"/>')
        parts.append(f'<path class="line {kind}" d="M{key} 36h20"/>')
        parts.append(_text(key + 28, 40, name))
    return _svg(parts, height)


def _round_step(least: float) -> float:
    """Return a step that is easy to read, so that four of them are enough for three `least`."""
    power: float = 10.0 ** math.floor(math.log10(least))
    return next(step * power for step in STEPS if step * power * 4 >= least * 3)


def _short(events: float) -> str:
    return f"{events / 1e6:.2g}M" if events >= 1e6 else f"{events / 1e3:.0f}k"


def _text(x: float, y: float, text: str, *, anchor: str = "start", quiet: bool = False) -> str:
    kind = ' class="quiet"' if quiet else ""
    return f'<text{kind} x="{x:.0f}" y="{y:.0f}" text-anchor="{anchor}">{escape(text)}</text>'


def _svg(parts: list[str], height: int) -> str:
    body = "\n".join([f"<style>{STYLE}</style>", *parts])
    box = f'viewBox="-8 0 {WIDTH + 16} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} role="img">\n{body}\n</svg>\n'
