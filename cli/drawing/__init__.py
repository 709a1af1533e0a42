"""Drawing tempo in a terminal: how often endpoints run over time, against their baseline, and who changed it and why.

Pure: values in, lines of text out, no colour, at most `width` columns (80). Times and durations in ms.

    series = Series(name="traffic_monitor", steps=(
        Step(at=0, interval_ms=300_000, baseline_ms=300_000, source="baseline-interval"),
        Step(at=360_000, interval_ms=30_000, baseline_ms=300_000, source="ai-interval",
             author="rule surge", reason="visitors over 2000"),
    ), runs=(300_000, 360_000, 390_000))
    window = Window(since=0, until=2_400_000, label=lambda at: f"min {at // 60_000}")

- `series`: Step, Series, Window: the values. A step holds from its `at` until the next one. `interval_ms` None is
  asleep: nothing is planned.
- `tempo.timeline(many, window)`: an axis and one line an endpoint, on one scale; higher is faster, `+` is a run of one
  that was asleep.
- `chart.step_chart(series, window)`: one endpoint, several lines high: dotted baseline, runs, lettered changes.
- `changes.tell_changes(series, window)`: the changes in words, one a line.
- `attribution`: `author(kind, who)`, and `plain(text)` for what others wrote: one line, nothing unprintable;
  `visible(text)` for values, with escapes in place of that.
- `durations.spell(ms)`: "30 s", "5 min".

Intervals are drawn on a logarithmic scale: from 5 min to 30 s is as far as from 50 min to 5.
"""
