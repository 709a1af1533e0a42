"""Tempo drawn in a terminal: what stands where, within 80 columns and without colour."""

import pytest

from cli.drawing.changes import tell_changes
from cli.drawing.chart import step_chart
from cli.drawing.durations import spell, spell_exactly
from cli.drawing.series import Series, Step, Window
from cli.drawing.tempo import tempo_row, timeline

M = 60_000
SURGE = Step(
    at=10 * M,
    interval_ms=30_000,
    baseline_ms=5 * M,
    source="ai-interval",
    author="rule surge",
    reason="visitors over 2000",
)
MONITOR = Series(
    name="traffic_monitor",
    steps=(
        Step(at=0, interval_ms=5 * M, baseline_ms=5 * M, source="baseline-interval"),
        SURGE,
        Step(at=30 * M, interval_ms=5 * M, baseline_ms=5 * M, source="baseline-interval"),
    ),
    runs=(5 * M, 10 * M, 10 * M + 30_000),
)
PAGE = Series(name="page", steps=(Step(at=0, interval_ms=None),), runs=(20 * M,))
FORTY = Window(since=0, until=40 * M, label=lambda at: f"{at // M}m")


def test_a_row_is_high_where_the_endpoint_runs_often_and_marks_runs_out_of_sleep() -> None:
    assert tempo_row(MONITOR, FORTY, 8) == "▁▁████▁▁"
    assert tempo_row(PAGE, FORTY, 8) == "    +   "


def test_a_change_shorter_than_a_column_is_still_seen() -> None:
    blink = Series(
        name="blink",
        steps=(
            Step(at=0, interval_ms=5 * M),
            Step(at=11 * M, interval_ms=1_000),
            Step(at=11 * M + 5_000, interval_ms=5 * M),
        ),
    )
    assert tempo_row(blink, FORTY, 8) == "▁▁█▁▁▁▁▁"


def test_a_timeline_has_an_axis_and_a_line_for_each_endpoint_on_one_scale() -> None:
    lines = timeline([MONITOR, PAGE], FORTY, width=48)
    assert lines == [
        "                0m    10m   20m   30m",
        "traffic_monitor ▁▁▁▁▁▁████████████▁▁▁▁▁▁  5 min",
        "page                        +             asleep",
    ]


def test_the_chart_shows_steps_baseline_runs_and_who_changed_what_and_why() -> None:
    assert step_chart(MONITOR, FORTY, width=49, height=4) == [
        "traffic_monitor",
        "    30 s           ┌───────────────────┐",
        "                   │                   │",
        "                   │                   │",
        "   5 min ──────────┘┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄┄└─────────",
        "    runs      ·    2",
        "                   a                   b",
        "         0m        10m       20m       30m",
        "a 10m  every 30 s (ai-interval), rule surge: vis…",
        "b 30m  every 5 min (baseline)",
    ]


def test_no_line_is_wider_than_asked_for_however_long_names_and_reasons_are() -> None:
    long = Series(name="n" * 100, steps=(PAGE.steps[0], Step(at=M, interval_ms=M, author="a" * 90, reason="r" * 90)))
    lines = [*timeline([long], FORTY), *step_chart(long, FORTY)[1:]]
    assert max(map(len, lines)) <= 80


def test_changes_are_told_with_author_and_reason_and_only_where_something_changed() -> None:
    same = Series(name="same", steps=(*MONITOR.steps[:1], Step(at=M, interval_ms=5 * M, baseline_ms=5 * M), SURGE))
    assert tell_changes(same, FORTY) == ["10m  every 30 s (ai-interval), rule surge: visitors over 2000"]


def test_an_endpoint_without_any_step_is_drawn_asleep() -> None:
    assert timeline([Series(name="new", steps=())], FORTY, width=40)[1].endswith("asleep")
    assert step_chart(Series(name="new", steps=()), FORTY)[0] == "new"


@pytest.mark.parametrize(
    ("milliseconds", "roughly", "exactly"),
    [
        (0, "0 ms", "0 ms"),
        (250, "250 ms", "250 ms"),
        (30_000, "30 s", "30 s"),
        (90_000, "1.5 min", "1 min 30 s"),
        (3_600_000, "1 h", "1 h"),
        (86_461_001, "1 d", "1 d 1 min 1 s 1 ms"),
    ],
)
def test_durations_read_as_people_say_them(milliseconds: int, roughly: str, exactly: str) -> None:
    assert (spell(milliseconds), spell_exactly(milliseconds)) == (roughly, exactly)
