"""The arithmetic of the throughput benchmark."""

from __future__ import annotations

import itertools

import pytest

from tests.benchmarks import report
from tests.benchmarks.systems import Run, Sample, summary
from tests.benchmarks.workload import FEWEST, OPEN_ORDERS, STEPS, Workload, envelope, span


def sample(at_s: float, stored: int, cpu_s: float, memory_mb: float = 100.0) -> Sample:
    """Return a sample of a machine on which nobody else works."""
    return Sample(at_s, stored, {"ingest": cpu_s}, memory_mb, others_s=0.0)


def test_it_leaves_the_warm_up_out_of_rate_and_cpu() -> None:
    series = [
        sample(0.0, 0, 1.0),
        sample(10.0, 400, 5.0, memory_mb=250.0),
        sample(13.0, 1_000, 5.6),
    ]

    run = summary("sqlite-1", 1_000, series)

    assert run.rate == pytest.approx(200)
    assert run.cpu_us["ingest"] == pytest.approx(1_000)
    assert run.memory_mb == 250.0


def test_it_takes_the_whole_run_when_one_look_saw_everything() -> None:
    series = [sample(0.0, 0, 1.0), sample(2.0, 0, 1.5), sample(2.5, 100, 2.0)]

    run = summary("sqlite-1", 100, series)

    assert run.rate == pytest.approx(200)


def test_it_compares_with_the_peer_of_the_same_round() -> None:
    def run(system: str, rate: int) -> Run:
        return summary(system, rate, [sample(0.0, 0, 0.0), sample(1.0, rate, 1.0)])

    runs = [run("sqlite-1", 300), run("zipkin-1", 100), run("sqlite-1", 20), run("zipkin-1", 10)]

    rows = report.medians(runs)

    assert rows["sqlite-1"]["ratio"] == 2.5
    assert rows["zipkin-1"]["ratio"] == 1.0
    assert (rows["sqlite-1"]["rate_least"], rows["sqlite-1"]["rate_most"]) == (20, 300)


def test_it_gives_the_rate_of_each_step_as_the_database_grows() -> None:
    series = [
        sample(0.0, 0, 0.0),
        sample(1.0, 1_000, 0.0),
        sample(11.0, 101_000, 0.0),
        sample(31.0, 201_000, 0.0),
    ]

    points = report.curve(summary("sqlite-1", 201_000, series))

    assert points == [(101_000, 10_000), (201_000, 5_000)]


def test_it_makes_flows_of_six_to_eight_events_of_about_600_bytes() -> None:
    steps = list(itertools.islice(Workload(seed=7), 8 * OPEN_ORDERS))
    finished = [step.order for step in steps if step.order.done == step.order.steps]

    assert {order.steps for order in finished} == set(range(FEWEST, len(STEPS) + 1))
    for write in (envelope, span):
        sizes = [len(write(step)) for step in steps[:2_000]]
        assert 560 < sum(sizes) / len(sizes) < 640


def test_it_makes_the_same_ids_from_the_same_seed() -> None:
    first, second = (
        [(step.event_id, step.order.order_id) for step in itertools.islice(Workload(seed=7), 500)]
        for _ in range(2)
    )

    assert first == second


def test_it_names_the_orders_that_have_an_event() -> None:
    workload = Workload(seed=7)
    steps = list(itertools.islice(workload, 3_000))

    assert {ids[0] for ids in workload.begun} == {step.order.correlation for step in steps}
