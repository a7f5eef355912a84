"""Tables for the README and `config/segment.yaml`, made from the code that they describe.

    python -m instseg3d_ros.ros.tools.tables            prints both tables
    python -m instseg3d_ros.ros.tools.tables --write    puts them between the markers in README.md, and writes the YAML

A test compares files and code.
"""

from __future__ import annotations

import math
import sys
import textwrap
from pathlib import Path

from instseg3d_ros.messages.topics import TOPICS
from instseg3d_ros.ros.parameters import CONFIGURE, START, Parameters

WHEN = {CONFIGURE: "on configure", START: "at start"}


def topic_table() -> str:
    lines = ["| | topic | type | QoS | |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {t.direction} | `{t.name}` | {t.type} | {t.qos} | {t.description} |" for t in TOPICS]
    return "\n".join(lines)


def parameter_table() -> str:
    lines = ["| parameter | default | range | | read |", "| --- | --- | --- | --- | --- |"]
    for entry in Parameters.entries():
        limits = ", ".join(f"`{choice}`" for choice in entry.choices)
        if entry.limits:
            limits = " … ".join(map(_number, entry.limits))
        when = WHEN.get(entry.when, "always")
        lines.append(f"| `{entry.name}` | `{_value(entry.default)}` | {limits} | {entry.description} | {when} |")
    return "\n".join(lines)


def yaml_text() -> str:
    """Every parameter at its default, with what it does: a file to copy and change."""
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
    """`text` with fresh tables between `<!-- topics -->`…`<!-- /topics -->` and the same for parameters."""
    for name, table in (("topics", topic_table()), ("parameters", parameter_table())):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        head, found, rest = text.partition(begin)
        if found and end in rest:
            text = f"{head}{begin}{table}\n{end}{rest.partition(end)[2]}"
    return text


def _value(value, quote: bool = False) -> str:
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
    readme = root / "README.md"
    if readme.is_file():
        readme.write_text(patch(readme.read_text()))
    (root / "config" / "segment.yaml").write_text(yaml_text())


if __name__ == "__main__":
    main()
