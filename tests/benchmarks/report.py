"""From runs to medians, ratios, a table and charts."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from typing import Any

from tests.benchmarks import chart
from tests.benchmarks.systems import Run, Sample

NAMES = {
    "sqlite-1": "SQLite, 1 ingestor",
    "postgres-1": "Postgres, 1 ingestor",
    "postgres-2": "Postgres, 2 ingestors",
    "zipkin-1": "Zipkin in memory, 1 stream",
    "zipkin-2": "Zipkin in memory, 2 streams",
}
PEER = "zipkin-1"
CURVE_STEP = 100_000
# What a quiet machine does beside us, with room.
BUSY_CORES = 0.2


def medians(runs: Iterable[Run]) -> dict[str, dict[str, Any]]:
    """Return each system's median figures, the range of its rate, and its ratio to the peer."""
    found: dict[str, dict[str, Any]] = {}
    grouped: dict[str, list[Run]] = {}
    for run in runs:
        grouped.setdefault(run.system, []).append(run)
    for system, group in grouped.items():
        rates = [run.rate for run in group]
        found[system] = {
            "rate": round(statistics.median(rates)),
            "rate_least": round(min(rates)),
            "rate_most": round(max(rates)),
            "cpu_us": {
                name: round(statistics.median(run.cpu_us[name] for run in group), 1)
                for name in group[0].cpu_us
            },
            "cpu_us_total": round(statistics.median(run.cpu_us_total for run in group), 1),
            "memory_mb": round(max(run.memory_mb for run in group)),
            "others_cores": round(statistics.mean(run.others for run in group), 2),
        }
    for system, row in found.items():
        row["ratio"] = ratio(grouped[system], grouped.get(PEER, []), lambda run: run.rate)
        row["cpu_ratio"] = ratio(
            grouped[system], grouped.get(PEER, []), lambda run: run.cpu_us_total
        )
    return found


def ratio(ours: list[Run], peers: list[Run], of: Callable[[Run], float]) -> float | None:
    """Return the median of the ratios to the peer's run of the same round; None without one."""
    pairs = list(zip(ours, peers, strict=False))
    if not pairs:
        return None
    return round(statistics.median(of(one) / of(peer) for one, peer in pairs), 2)


def line(run: Run) -> str:
    """Return a run as a line to read."""
    parts = ", ".join(f"{name} {value:.1f}" for name, value in run.cpu_us.items())
    return (
        f"{run.system:<11}{run.rate:>9,.0f} events/s   CPU {run.cpu_us_total:.1f} us ({parts})   "
        f"{run.memory_mb:,.0f} MB   others used {run.others:.2f} cores"
    )


def curve(run: Run) -> list[tuple[int, float]]:
    """Return (events stored, events a second) for each further step of events."""
    points = []
    first = next(sample for sample in run.series if sample.stored)
    for sample in run.series:
        if sample.stored - first.stored >= CURVE_STEP:
            points.append((sample.stored, _rate(first, sample)))
            first = sample
    return points


def _rate(first: Sample, last: Sample) -> float:
    return round((last.stored - first.stored) / (last.at_s - first.at_s))


def memory_at(run: Run, events: int) -> float:
    """Return the most memory seen up to so many events."""
    return max(sample.memory_mb for sample in run.series if sample.stored <= events)


def table(result: dict[str, Any]) -> str:
    """Return the result as lines to read."""
    machine = result["machine"]
    lines = [
        "",
        f"{machine['cores']} cores, {machine['processor']}, {machine['memory_gb']} GB",
        f"{result['events']:,} events a run, {result['rounds']} rounds; median (least to most)",
        f"{'':<29}{'events/s':>26}{'ratio':>7}{'CPU us':>8}{'ratio':>7}{'MB':>7}{'others':>8}",
    ]
    for system, row in result["systems"].items():
        span = f"{row['rate']:,} ({row['rate_least']:,}-{row['rate_most']:,})"
        lines.append(
            f"{NAMES[system]:<29}{span:>26}{_or_dash(row['ratio']):>7}{row['cpu_us_total']:>8}"
            f"{_or_dash(row['cpu_ratio']):>7}{row['memory_mb']:>7,}{row['others_cores']:>8}"
        )
    busiest = max(row["others_cores"] for row in result["systems"].values())
    if busiest > BUSY_CORES:
        lines.append(f"Others used up to {busiest} cores meanwhile: do not rely on these figures.")
    return "\n".join([*lines, *_parts(result), *_reads(result), *_growth(result), ""])


def _or_dash(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _parts(result: dict[str, Any]) -> list[str]:
    rows = result.get("parts", [])
    return [
        *(["", f"{'part alone':<40}{'events/s':>12}{'CPU us':>9}"] if rows else []),
        *(
            f"{row['part']:<40}{row['failed']}"
            if "failed" in row
            else f"{row['part']:<40}{row['rate']:>12,.0f}{row['cpu_us']:>9.1f}"
            for row in rows
        ),
    ]


def _reads(result: dict[str, Any]) -> list[str]:
    growth = result.get("growth", {})
    lines = []
    for asked in (result.get("reads"), growth.get("reads")):
        if asked:
            lines += [
                "",
                f"HTTP at {asked['stored_before']:,} events, {asked['rate']:,.0f}/s coming in, ms",
                *_percentiles(asked["ms"]),
            ]
    if growth:
        lines += ["", "Zipkin's API at 500,000 spans, nothing coming in, ms"]
        lines += _percentiles(growth["zipkin_reads_ms"])
    return lines


def _percentiles(rows: dict[str, dict[str, float]]) -> list[str]:
    return [
        f"{kind:<12}{row['samples']:>6} asked   p50 {row['p50']:>7}   p99 {row['p99']:>7}"
        for kind, row in rows.items()
    ]


def _growth(result: dict[str, Any]) -> list[str]:
    growth = result.get("growth")
    if not growth:
        return []
    lines = [""]
    for system, points in growth["curves"].items():
        first, last = points[0][1], points[-1][1]
        lines.append(
            f"{NAMES[system]}: {first:,.0f}/s at empty, {last:,.0f}/s at "
            f"{points[-1][0]:,} events, {last / first:.2f} of it"
        )
    memory = growth["memory_mb_at_500k"]
    lines += [f"{NAMES[system]}: {used:,.0f} MB at 500,000" for system, used in memory.items()]
    return lines


def charts(result: dict[str, Any]) -> dict[str, str]:
    """Return the SVG files: rates, and growth where it was measured."""
    rows = [
        {
            "name": NAMES[system],
            "ours": not system.startswith("zipkin"),
            "rate": row["rate"],
            "least": row["rate_least"],
            "most": row["rate_most"],
            "note": f"{row['rate'] / 1000:.1f}k/s, {row['cpu_us_total']:.0f} us",
        }
        for system, row in result["systems"].items()
    ]
    title = "Events a second from Apache Kafka, and CPU an event (median; line: least to most)"
    found = {"throughput.svg": chart.bars(title, rows)}
    if "growth" in result:
        curves = {NAMES[name]: points for name, points in result["growth"]["curves"].items()}
        found["growth.svg"] = chart.growth("Events a second while the database grows", curves)
    return found
