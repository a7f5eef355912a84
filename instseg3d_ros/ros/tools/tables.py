"""Tables of topics and parameters for the README and the docs, and `config/segment.yaml`, made from the code.

    python -m instseg3d_ros.ros.tools.tables            prints the complete tables
    python -m instseg3d_ros.ros.tools.tables --write    writes the tables between their markers in PAGES, and the YAML

The README has the entries that most users need, `docs/topics.md` and `docs/parameters.md` have all. A test compares the
files with the code.
"""

from __future__ import annotations

import math
import sys
import textwrap
from collections.abc import Collection
from pathlib import Path

from instseg3d_ros.messages.topics import TOPICS
from instseg3d_ros.ros.parameters import CONFIGURE, MODEL, START, Parameters

PAGES = ("README.md", "docs/topics.md", "docs/parameters.md")
WHEN = {CONFIGURE: "on configure", START: "at start"}
MAIN_TOPICS = (
    "points", "~/segmented_points", "~/colored_points", "~/markers", "~/detections", "~/labels", "/diagnostics",
    "~/enable", "~/segment_once",
)  # fmt: skip
MAIN_PARAMETERS = (
    "model", "device", "merge", "min_score", "axes", "unit", "max_range", "target_frame", "fixed_frame", "map",
)  # fmt: skip


def topic_table(names: Collection[str] = ()) -> str:
    """A row for each of the topics and services `names`; for all if it is empty."""
    lines = ["| | topic | type | QoS | meaning |", "| --- | --- | --- | --- | --- |"]
    shown = [topic for topic in TOPICS if not names or topic.name in names]
    lines += [f"| {t.direction} | `{t.name}` | {t.type} | {t.qos} | {t.description} |" for t in shown]
    return "\n".join(lines)


def parameter_table(names: Collection[str] = ()) -> str:
    """A row for each of the parameters `names`; for all if it is empty."""
    lines = ["| parameter | default | range | meaning | read |", "| --- | --- | --- | --- | --- |"]
    for entry in Parameters.entries():
        if names and entry.name not in names:
            continue
        limits = ", ".join(f"`{choice}`" for choice in entry.choices)
        if entry.limits:
            limits = " … ".join(map(_number, entry.limits)) + (f" or {MODEL:g}" if entry.left_to_model else "")
        when = WHEN.get(entry.when, "always")
        lines.append(f"| `{entry.name}` | `{_value(entry.default)}` | {limits} | {entry.description} | {when} |")
    return "\n".join(lines)


def yaml_text() -> str:
    """YAML of all parameters with their defaults and descriptions, which users can copy and change."""
    lines = [
        "# Parameters of the node at their defaults. Made by `python -m instseg3d_ros.ros.tools.tables --write`.",
        "/**:",
    ]
    lines.append("  ros__parameters:")
    for entry in Parameters.entries():
        lines += textwrap.wrap(entry.description.replace("`", ""), 108, initial_indent="    # ",
                               subsequent_indent="    # ")  # fmt: skip
        lines.append(f"    {entry.name}: {_value(entry.default, quote=True)}")
    return "\n".join(lines) + "\n"


def patch(text: str) -> str:
    """`text` with new tables between `<!-- topics -->` and `<!-- /topics -->`, and between the other markers."""
    tables = {
        "main topics": topic_table(MAIN_TOPICS),
        "main parameters": parameter_table(MAIN_PARAMETERS),
        "topics": topic_table(),
        "parameters": parameter_table(),
    }
    for name, table in tables.items():
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, found, rest = text.partition(begin)
        if found and end in rest:
            text = f"{head}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return text


def _value(value: object, quote: bool = False) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f'"{value}"' if quote or not value else value
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    if isinstance(value, float) and math.isinf(value):
        return ".inf" if value > 0 else "-.inf"  # as YAML has it
    return str(value)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:g}"


def main() -> None:
    if "--write" not in sys.argv:
        print(topic_table(), parameter_table(), sep="\n\n")
        return
    root = Path(__file__).parents[3]
    for page in (root / name for name in PAGES):
        page.write_text(patch(page.read_text()))
    (root / "config" / "segment.yaml").write_text(yaml_text())


if __name__ == "__main__":
    main()
