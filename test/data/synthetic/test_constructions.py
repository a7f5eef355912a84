"""All constructions of all classes: finite, of plausible size; some are reserved for tests."""

import ast
import inspect

import numpy as np
import pytest

from instseg3d_ros.data.synthetic import arrangements, layouts
from instseg3d_ros.data.synthetic.catalogue import Catalogue
from instseg3d_ros.data.synthetic.registry import CONSTRUCTIONS
from instseg3d_ros.labels import SYNTHETIC

ALL = [entry for entries in CONSTRUCTIONS.values() for entry in entries]
STUFF = {"wall", "floor", "ceiling"}


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: f"{entry.label}: {entry.name}")
def test_builds_a_solid_thing_of_its_class(entry):
    for seed in range(3):
        piece = entry.build(np.random.default_rng(seed))
        low, high = piece.bounds()
        size = high - low
        assert np.isfinite(size).all() and size.max() < 4.5 and np.sort(size)[1] > 0.005
        assert entry.label in {body.label for body in piece.bodies}
        assert {body.label for body in piece.bodies} <= set(SYNTHETIC.names)
        if entry.mount in ("floor", "table"):
            hung = 0.8 if entry.label in ("sink", "counter") else 0.35
            assert -0.03 < low[2] < hung, "stands on z = 0; basins and boards may hang over it"
        for body in piece.bodies:
            for part in body.shape.parts:
                assert part.triangles.min() >= 0 and part.triangles.max() < len(part.vertices) == len(part.local)
        for surface in piece.surfaces:
            assert low[2] - 1e-4 <= surface.z <= high[2] + 0.02 and surface.width > 0 and surface.depth > 0


def test_same_seed_builds_the_same_thing():
    for entry in ALL[::7]:
        first, second = (entry.build(np.random.default_rng(5)) for _ in range(2))
        for a, b in zip(first.bodies, second.bodies):
            assert np.array_equal(a.shape.vertices, b.shape.vertices)


def test_every_thing_has_several_constructions_and_one_for_tests():
    assert set(CONSTRUCTIONS) == set(SYNTHETIC.names) - STUFF
    for label, entries in CONSTRUCTIONS.items():
        assert sum(not entry.held_out for entry in entries) >= 2, label
        assert sum(entry.held_out for entry in entries) >= 1, label
        assert len({entry.name for entry in entries}) == len(entries), label


def test_furniture_lies_where_its_class_says():
    """A module or a folder of `furniture`, or of `objects`, named after the class."""
    for entry in ALL:
        folder, place = entry.build.__module__.removeprefix("instseg3d_ros.data.synthetic.").split(".")[:2]
        assert folder == "objects" if entry.label in ("object", "lamp", "pillow", "books", "bag", "towel") else (
            (folder, place) == ("furniture", entry.label.replace(" ", "_"))
        ), entry  # fmt: skip


KNOWN = {label: {entry.name for entry in entries} for label, entries in CONSTRUCTIONS.items()}


def named_pieces(source, constants):
    """(class, name, line) of each construction that code asks for by name; class None where a variable holds it."""
    for call in ast.walk(ast.parse(source)):
        function = getattr(call.func, "id", getattr(call.func, "attr", "")) if isinstance(call, ast.Call) else ""
        if function not in ("build", "several", "extras", "hang"):
            continue
        words = [argument.value for argument in call.args if isinstance(argument, ast.Constant)]
        label = "otherfurniture" if function in ("extras", "hang") else next((w for w in words if w in KNOWN), None)
        for part in (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "names")):
            for node in ast.walk(part):
                names = constants.get(node.id, ()) if isinstance(node, ast.Name) else ()
                if isinstance(node, ast.Tuple):
                    names = [element.value for element in node.elts if isinstance(element, ast.Constant)]
                if isinstance(names, tuple | list):
                    yield from ((label, name, call.lineno) for name in names if isinstance(name, str))


@pytest.mark.parametrize("module", [layouts, arrangements], ids=lambda module: module.__name__.split(".")[-1])
def test_pieces_that_layouts_name_exist(module):
    found = list(named_pieces(inspect.getsource(module), vars(module)))
    assert len(found) > 5
    for label, name, line in found:
        known = set().union(*KNOWN.values()) if label is None else KNOWN[label]
        assert name in known, f"{module.__name__}, line {line}: no {label} '{name}'"
    wrong = 'several(plan, "cabinet", 0, 2, NAMES)\nhang(plan, 1, ("mirror", "mirrow")[: rng.integers(3)])'
    assert set(named_pieces(wrong, {"NAMES": ("sideboard", "sidebord")})) >= {
        ("cabinet", "sidebord", 1), ("otherfurniture", "mirrow", 2),
    }  # fmt: skip


def test_constants_of_arrangements_name_pieces_that_exist():
    constants = {name: value for name, value in vars(arrangements).items() if name.endswith("S") and name.isupper()}
    assert len(constants) >= 7
    for name, value in constants.items():
        label = name.split("_")[-1].lower().removesuffix("s")
        assert set(value) <= KNOWN[label], (name, set(value) - KNOWN[label])


def test_held_out_constructions_stay_apart():
    rng = np.random.default_rng(0)
    built = {True: set(), False: set()}
    originals = {id(entry): entry.build for entry in ALL}
    try:
        for entry in ALL:
            note = built[entry.held_out]
            object.__setattr__(entry, "build", lambda r, e=entry, n=note: (n.add(e.name), originals[id(e)](r))[1])
        for held_out in (True, False):
            for note in built.values():
                note.clear()
            catalogue = Catalogue(held_out=held_out)
            for label, mount in sorted({(entry.label, entry.mount) for entry in ALL}):
                for names in (None, ("swivel", "kitchen run", "mirror")):
                    catalogue.build(label, rng, mount, names)
            assert built[held_out] and not built[not held_out]
    finally:
        for entry in ALL:
            object.__setattr__(entry, "build", originals[id(entry)])


def test_stretching_and_placing_carry_surfaces_and_seats_along():
    piece = next(e for e in CONSTRUCTIONS["table"] if e.name == "dining table").build(np.random.default_rng(1))
    moved = piece.stretched(2.0, 1.0, 0.5).placed(1.0, -2.0, 0.25, np.pi / 2)
    low, high = moved.bounds()
    top = moved.surfaces[0]
    assert top.z == pytest.approx(high[2], abs=1e-5) and (top.x, top.y) == pytest.approx((1.0, -2.0))
    assert (high - low)[1] == pytest.approx(2 * np.subtract(*piece.bounds()[::-1])[0], rel=1e-5)
    for x, y, yaw in moved.seats:  # a chair's front is -y: turned by yaw it looks at the table's middle
        toward = np.array([np.sin(yaw), -np.cos(yaw)])
        assert toward @ (np.array([1.0, -2.0]) - (x, y)) > 0
