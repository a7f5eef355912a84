import json

from instseg3d_ros.benchmarking import report, scaling
from instseg3d_ros.benchmarking.race import Row, Times

ROWS = [
    Row("one", "fast thing", 1234, Times((1.0, 2.0, 3.0)), "slow thing", Times((10.0, 20.0, 30.0)), 10.0, 4.0),
    Row("two", "long thing", 5, Times((400.0,) * 3), "short", Times((100.0,) * 3), 4.0, 3.5, True, "× as long"),
    Row("two", "alone", 7, Times((0.5,) * 3)),
]
CURVES = [scaling.Curve("stage", (10_000, 100_000, 1_000_000), (9.0, 10.0, 100.0))]


def test_table_tells_what_was_held():
    text = report.table(ROWS)
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert "10.00 ×" in lines["fast thing"] and "held" in lines["fast thing"] and "1,234" in lines["fast thing"]
    assert "MISSED" in lines["long thing"] and "≤ 3.5" in lines["long thing"]
    assert "held" not in lines["alone"] and "0.50" in lines["alone"]
    assert [line for line in text.splitlines() if line in ("one", "two")] == ["one", "two"]


def test_exponent_is_fitted_to_the_large_sizes():
    assert abs(CURVES[0].exponent - 1) < 1e-9
    small = scaling.Curve("stage", (10, 100, 1000), (1.0, 10.0, 1000.0))
    assert abs(small.exponent - 2) < 1e-9
    (row,) = scaling.rows(CURVES)
    assert row.held


def test_json_and_figure(tmp_path):
    about = report.machine(2)
    content = json.loads(json.dumps(report.to_json(ROWS, CURVES, about)))
    assert content["rows"][0]["ours_ms"] == [1, 2, 3] and content["curves"][0]["stage"] == "stage"
    assert content["machine"]["threads"] == 2
    assert content["machine"]["kernels"].startswith(("compiled for ", "switched off"))
    report.figure(tmp_path / "figure.png", ROWS, CURVES, about)
    assert (tmp_path / "figure.png").read_bytes()[:4] == b"\x89PNG" and len(list(tmp_path.iterdir())) == 1
