"""Level and text of the diagnostics for each condition, with a simulated clock."""

from dataclasses import replace

import pytest

from instseg3d_ros.ros.diagnostics import ERROR, OK, WARN, Condition, judge, numbers
from instseg3d_ros.ros.log import Throttled
from instseg3d_ros.ros.parameters import Parameters
from instseg3d_ros.ros.statistics import Statistics, Summary

LIMITS = replace(Parameters(), latency_warn_ms=100.0, silence_warn=2.0)
HERE = Condition(topic="/points")


class FakeClock:
    time = 100.0

    def __call__(self):
        return self.time


BEST_EFFORT = replace(HERE, reliability="best_effort")


@pytest.mark.parametrize(
    ("condition", "counts", "level", "word"),
    [
        (HERE, Summary(), OK, "running"),
        (replace(HERE, watched=False), Summary(), OK, "no output has a subscriber"),
        (replace(HERE, state="inactive"), Summary(silent_for=99), OK, "inactive"),
        (replace(HERE, state="unconfigured"), Summary(last_error="no model 'x'"), ERROR, "no model 'x'"),
        (replace(HERE, enabled=False), Summary(silent_for=99), OK, "paused"),
        (HERE, Summary(silent_for=3), WARN, "no cloud on /points for 3 s"),
        (replace(HERE, publishers=0), Summary(silent_for=3), WARN, "/points has no publisher"),
        (BEST_EFFORT, Summary(silent_for=3), WARN, "it has 1 publisher: large best-effort clouds are lost unless"),
        (BEST_EFFORT, Summary(silent_for=3), WARN, "export FASTRTPS_DEFAULT_PROFILES_FILE=/"),
        (BEST_EFFORT, Summary(silent_for=3, received_now=2), WARN, "no cloud on /points for 3 s"),
        (replace(BEST_EFFORT, lost=18), Summary(received_now=2), WARN, "18 of 20 clouds on /points were lost"),
        (replace(BEST_EFFORT, lost=1), Summary(received_now=19), OK, "running"),
        (replace(HERE, latched=True), Summary(silent_for=99, received_now=1), OK, "running"),
        (
            HERE,
            Summary(pipeline_latency_ms=55.1 * 31557.6e6),
            WARN,
            "differ by 55.1 years; for a recording set",
        ),
        (replace(HERE, simulated=True), Summary(pipeline_latency_ms=-2e12), WARN, "check that /clock is published"),
        (replace(HERE, problem="a offers best effort"), Summary(silent_for=3), ERROR, "best effort"),
        (replace(HERE, problem="a offers best effort"), Summary(silent_for=1), WARN, "best effort"),
        (HERE, Summary(latency_ms=150, slow_for=1), WARN, "150 ms"),
        (HERE, Summary(latency_ms=150, slow_for=12), ERROR, "150 ms"),
        (
            HERE,
            Summary(latency_ms=150, slow_for=1, stages={"graph": 20, "cluster": 90, "total": 140}),
            WARN,
            "90 of them in stage 'cluster'",
        ),
        (HERE, Summary(failures=1, last_error="no field z"), WARN, "no field z"),
        (HERE, Summary(failures=3, last_error="no field z"), ERROR, "3 clouds were not answered: no field z"),
    ],
)
def test_level_and_words(condition, counts, level, word):
    found, text = judge(condition, counts, LIMITS)
    assert (found, word in text) == (level, True), text


def test_the_worst_level_gives_the_words():
    level, text = judge(HERE, Summary(silent_for=3, failures=3, last_error="no field z"), LIMITS)
    assert level == ERROR and "no cloud" not in text


def test_rates_latency_drops_and_slowness_over_time():
    clock = FakeClock()
    counts = Statistics(now=clock)
    counts.opened()
    for number in range(40):  # ten a second come, five are answered, from the second second on slowly
        clock.time += 0.1
        counts.arrived()
        if number % 2:
            counts.answered(50 if number < 10 else 200, 70, {"decode": 10, "segment": 30}, LIMITS.latency_warn_ms)
        else:
            counts.dropped("overtaken")
    found = counts.summary()
    assert found.rate_in == pytest.approx(10, abs=0.5) and found.rate_out == pytest.approx(5, abs=0.5)
    assert found.stages == {"decode": 10, "segment": 30} and found.pipeline_latency_ms == 70
    assert found.drops == {"overtaken": 20} and (found.received, found.answered) == (40, 20)
    assert found.slow_for == pytest.approx(2.8, abs=0.3)
    assert judge(HERE, found, LIMITS)[0] == WARN
    clock.time += 30
    found = counts.summary()
    assert found.latency_ms is None and found.rate_in == 0 and found.silent_for == pytest.approx(30)


def test_failures_count_in_a_row():
    counts = Statistics()
    assert [counts.failed("bad", "why") for _ in range(3)] == [1, 2, 3]
    assert counts.summary().failures == 3
    counts.answered(1, 1, {}, 100)
    assert counts.summary().failures == 0 and counts.summary().last_error == "why"


def test_numbers_are_text_and_name_every_drop():
    values = numbers(HERE, Summary(drops={"malformed cloud": 2}, stages={"decode": 1.25}, latency_ms=None))
    assert all(isinstance(value, str) for value in values.values())
    assert values["dropped: malformed cloud"] == "2" and values["stage decode (ms)"] == "1.2"
    assert values["latency (ms)"] == "" and float(values["memory (MB)"]) > 5


def test_log_lines_of_one_kind_are_throttled_and_counted():
    lines, clock = [], FakeClock()
    log = Throttled(type("Logger", (), {"warning": lambda self, text: lines.append(text)})(), clock)
    for _ in range(10):
        log("a", "text a")
    log("b", "text b")
    clock.time += 6
    log("a", "text a")
    assert lines == ["text a", "text b", "text a (9 more like this)"]
