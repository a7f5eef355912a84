"""The declaration of the parameters: defaults are valid, and the files that are generated from it are up to date."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from instseg3d_ros.messages.topics import TOPICS
from instseg3d_ros.ros.parameters import MODEL, Parameters
from instseg3d_ros.ros.tools import tables

ROOT = Path(__file__).parents[2]


def test_defaults_are_valid_and_described():
    for entry in Parameters.entries():
        assert entry.reason_against(entry.default) == "", entry.name
        assert entry.description.endswith((".", "…")), entry.name
    assert Parameters().reason_against() == ""


@pytest.mark.parametrize(
    ("name", "value", "word"),
    [
        ("engine", "cuda", "one of: auto, torch, spconv"),
        ("precision", "int8", "one of: auto, fp32, bf16, fp16"),
        ("min_score", 1.5, "expected 0 to 1, or -1 for the model's value"),
        ("merge", -0.5, "expected 0 to 100, or -1 for the model's value"),
        ("min_points", 0, "expected 1 to 1e+06, or -1"),
        ("silence_warn", -1.0, "expected 0.1 to 3600"),
        ("max_points", 0, "1 to"),
        ("tf_timeout", float("nan"), "not a number"),
        ("crop_box", [1.0, 2.0], "6 numbers"),
        ("crop_box", [float("nan")] * 6, "6 numbers"),
    ],
)
def test_bad_values_are_refused_with_value_and_expectation(name, value, word):
    entry = next(e for e in Parameters.entries() if e.name == name)
    reason = entry.reason_against(value)
    assert word in reason and name in reason and "\n" not in reason


@pytest.mark.parametrize(
    "change",
    [{"min_height": 2.0, "max_height": 1.0}, {"min_range": 3.0, "max_range": 2.0}, {"crop_box": [0, 0, 1, 1, 1, 0]}],
)  # fmt: skip
def test_values_that_leave_nothing_are_refused(change):
    assert "no point would be labelled" in replace(Parameters(), **change).reason_against()


def test_one_value_leaves_a_choice_to_the_model():
    entries = [entry for entry in Parameters.entries() if "the model's value" in entry.description]
    assert entries and all(entry.default == MODEL and entry.left_to_model for entry in entries)
    assert {entry.name for entry in Parameters.entries() if entry.left_to_model} == {entry.name for entry in entries}


def test_yaml_file_is_the_declaration():
    text = (ROOT / "config" / "segment.yaml").read_text()
    assert text == tables.yaml_text(), "run: python -m instseg3d_ros.ros.tools.tables --write"
    values = yaml.safe_load(text)["/**"]["ros__parameters"]
    assert Parameters(**values) == Parameters()


@pytest.mark.parametrize("page", tables.PAGES)
def test_tables_of_the_documentation_are_the_declarations(page):
    text = (ROOT / page).read_text()
    assert text == tables.patch(text), "run: python -m instseg3d_ros.ros.tools.tables --write"


def test_documentation_has_complete_tables_and_the_readme_the_main_entries():
    rows = {
        page: set(re.findall(r"^\|(?: \w+ \|)? `([^`]+)` \|", (ROOT / page).read_text(), re.M)) for page in tables.PAGES
    }
    assert rows["docs/parameters.md"] >= {entry.name for entry in Parameters.entries()}
    assert rows["docs/topics.md"] >= {topic.name for topic in TOPICS}
    assert rows["README.md"] >= {*tables.MAIN_TOPICS, *tables.MAIN_PARAMETERS}


def test_patch_replaces_only_what_is_between_the_markers():
    text = "a\n<!-- topics -->\nold\n<!-- /topics -->\nb\n<!-- parameters -->\n<!-- /parameters -->\nc\n"
    fresh = tables.patch(text)
    assert fresh == tables.patch(fresh)
    assert fresh.startswith("a\n<!-- topics -->\n| | topic") and fresh.endswith("<!-- /parameters -->\nc\n")
    assert "\nold\n" not in fresh and "`~/segmented_points`" in fresh and "`min_score`" in fresh


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("level", False, "off"), ("max_range", 5, 5.0), ("crop_box", [0, 0, 0, 1, 1, 1], [0.0, 0, 0, 1, 1, 1]),
        ("crop_box", (0, 0.5, 0, 1, 1, 1), [0.0, 0.5, 0, 1, 1, 1]), ("track", True, True), ("max_points", 5, 5),
        ("max_height", "inf", float("inf")), ("min_height", "-.inf", -float("inf")), ("axes", "inf", "inf"),
        ("crop_box", ["-inf"] * 3 + ["inf"] * 3, [-float("inf")] * 3 + [float("inf")] * 3),
        ("axes", False, False), ("max_range", "5", "5"), ("level", "off", "off"), ("track", 1, 1),
    ],
)  # fmt: skip
def test_values_as_yaml_reads_them_are_taken_as_meant(name, value, expected):
    got = next(e for e in Parameters.entries() if e.name == name).meant(value)
    assert got == expected and type(got) is type(expected)
