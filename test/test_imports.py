"""Imports have one direction: no circle of modules, no import from a folder further left in docs/developing.md."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "instseg3d_ros"
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in PACKAGE.rglob("*.py")
}


def imported(tree: ast.AST) -> Iterator[str]:
    """Modules of the package that a file imports, inside functions too, but not for type checkers alone."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in MODULES else node.module
        yield from imported(node)


GRAPH = {name: set(imported(ast.parse(path.read_text()))) - {name} for name, path in MODULES.items()}


def order() -> list[list[str]]:
    """The groups of folders in docs/developing.md, left to right."""
    text = (ROOT / "docs" / "developing.md").read_text()
    line = next(line for line in text.splitlines() if line.startswith("    ") and "→" in line)
    return [[name.strip() for name in group.split(",")] for group in line.split("→")]


def folder(module: str) -> str:
    """The folder of a module, or "" for modules beside the folders."""
    path = MODULES[module].relative_to(PACKAGE)
    return path.parts[0] if len(path.parts) > 1 else ""


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """A circle for each module that can reach itself."""
    found = []
    for start in graph:
        ways, seen = [[start]], set()
        while ways:
            way = ways.pop()
            for name in graph[way[-1]]:
                if name == start:
                    found.append(way)
                elif name not in seen:
                    seen.add(name)
                    ways.append([*way, name])
    return found


def test_circles_are_detected():
    assert not circles({"a": {"b", "c"}, "b": {"c"}, "c": set()})
    assert sorted(map(sorted, circles({"a": {"b"}, "b": {"c"}, "c": {"b"}}))) == [["b", "c"], ["b", "c"]]


def test_no_circle():
    assert circles(GRAPH) == []


def test_no_arrow_upward():
    groups = order()
    place = {name: number for number, group in enumerate(groups) for name in group}
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert set(place) == folders, "docs/developing.md names each folder once"
    place[""] = len(groups)
    doors = {"instseg3d_ros", "instseg3d_ros.__main__"}  # they lead into the package and import what they need
    wrong = [
        f"{module} imports {name}"
        for module in GRAPH.keys() - doors
        for name in GRAPH[module] - doors
        if folder(module) != folder(name) and place[folder(module)] >= place[folder(name)]
    ]
    assert not wrong
