"""Label sets: names of classes, their ids in ground-truth files, colours, and which classes are things."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from instseg3d_ros.errors import InputError

IGNORE = -1  # class index of a point without a label


@dataclass(frozen=True)
class LabelClass:
    """A class. `id` is its number in ground-truth files (NYU40 for ScanNet); `color` is RGB, 0 to 255."""

    name: str
    id: int
    color: tuple[int, int, int]
    thing: bool = True


def _color(values: Iterable[float | str]) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in values)
    return red, green, blue


def _truth(word: str) -> bool:
    """Convert a truth value in any spelling of YAML."""
    if word.lower() in ("true", "yes", "on", "y", "1"):
        return True
    if word.lower() in ("false", "no", "off", "n", "0"):
        return False
    raise ValueError(f"thing is '{word}', expected true or false")


def _check_names(names: list[str]) -> None:
    if not all(name.strip() for name in names):
        raise ValueError(f"class {names.index('')} has no name")
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise ValueError(f"two classes are named '{twice[0]}'")


@dataclass(frozen=True)
class LabelSet:
    """Classes in index order: `labels[3].name`, `labels.index("chair")`, `labels.names`."""

    name: str
    classes: tuple[LabelClass, ...]

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, index: int) -> LabelClass:
        return self.classes[index]

    @property
    def names(self) -> tuple[str, ...]:
        """Class names in index order."""
        return tuple(entry.name for entry in self.classes)

    @property
    def colors(self) -> tuple[tuple[int, int, int], ...]:
        """RGB, 0 to 255, in index order."""
        return tuple(entry.color for entry in self.classes)

    @property
    def things(self) -> tuple[bool, ...]:
        """Whether each class has instances, in index order."""
        return tuple(entry.thing for entry in self.classes)

    def index(self, name: str) -> int:
        """Index of a class. For an unknown name raises InputError, which lists the names."""
        try:
            return self.names.index(name)
        except ValueError:
            raise InputError(f"no class '{name}' in label set {self.name}; one of: {', '.join(self.names)}") from None

    def to_json(self) -> str:
        """The text that is stored with the weights; see `from_json`."""
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> LabelSet:
        """Inverse of `to_json`. Raises InputError if the text does not describe a label set."""
        try:
            content = json.loads(text)
            classes = tuple(
                LabelClass(str(c["name"]), int(c["id"]), _color(c["color"]), bool(c["thing"]))
                for c in content["classes"]
            )
            return LabelSet(str(content["name"]), classes)
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"not a label set ({error!r}); expected name and classes of name, id, color, thing"
            ) from None

    def write(self, path: Path) -> None:
        """Write `labels.yaml`, the label set of a folder of scenes."""
        import yaml

        rows = [{"name": c.name, "id": c.id, "color": list(c.color), "thing": c.thing} for c in self.classes]
        Path(path).write_text(yaml.safe_dump({"name": self.name, "classes": rows}, sort_keys=False))

    @staticmethod
    def read(path: Path) -> LabelSet:
        """Read `labels.yaml`. Only the names are required; default ids are 1, 2 …, default colours are a palette's."""
        import yaml

        try:
            # All values are read as text, because YAML would convert class names such as off, yes, null or 7.
            content = yaml.load(Path(path).read_text(), yaml.BaseLoader)
            if not isinstance(content["classes"], list):
                raise TypeError("classes is not a list")
            rows = [{"name": row} if isinstance(row, str) else row for row in content["classes"]]
            classes = tuple(
                LabelClass(
                    str(row["name"]),
                    int(row.get("id", index + 1)),
                    _color(row.get("color", PALETTE[index % len(PALETTE)])),
                    _truth(row.get("thing", "true")),
                )
                for index, row in enumerate(rows)
            )
            _check_names([entry.name for entry in classes])
            return LabelSet(str(content.get("name", Path(path).parent.name)), classes)
        except OSError as error:
            raise InputError(f"{path}: {error.strerror}; a folder of scenes needs a labels.yaml") from None
        except (AttributeError, KeyError, TypeError, ValueError, yaml.YAMLError) as error:
            raise InputError(
                f"{path}: not a label set ({error!r}); expected name and classes, each with a name"
            ) from None


# Colours of ScanNet's benchmark, in the order of its twenty classes.
SCANNET20 = LabelSet(
    "scannet20",
    (
        LabelClass("wall", 1, (174, 199, 232), thing=False),
        LabelClass("floor", 2, (152, 223, 138), thing=False),
        LabelClass("cabinet", 3, (31, 119, 180)),
        LabelClass("bed", 4, (255, 187, 120)),
        LabelClass("chair", 5, (188, 189, 34)),
        LabelClass("sofa", 6, (140, 86, 75)),
        LabelClass("table", 7, (255, 152, 150)),
        LabelClass("door", 8, (214, 39, 40)),
        LabelClass("window", 9, (197, 176, 213)),
        LabelClass("bookshelf", 10, (148, 103, 189)),
        LabelClass("picture", 11, (196, 156, 148)),
        LabelClass("counter", 12, (23, 190, 207)),
        LabelClass("desk", 14, (247, 182, 210)),
        LabelClass("curtain", 16, (219, 219, 141)),
        LabelClass("refrigerator", 24, (255, 127, 14)),
        LabelClass("shower curtain", 28, (158, 218, 229)),
        LabelClass("toilet", 33, (44, 160, 44)),
        LabelClass("sink", 34, (112, 128, 144)),
        LabelClass("bathtub", 36, (227, 119, 194)),
        LabelClass("otherfurniture", 39, (82, 84, 163)),
    ),
)

PALETTE = SCANNET20.colors

# Classes of the generator: ScanNet's classes, loose objects that a manipulator can grasp, and the ceiling.
SYNTHETIC = LabelSet(
    "synthetic",
    (
        *SCANNET20.classes,
        LabelClass("object", 40, (255, 215, 0)),
        LabelClass("ceiling", 22, (225, 225, 225), thing=False),
    ),
)

_NYU_NAMES = (
    "bathtub", "bed", "bookshelf", "box", "chair", "counter", "desk", "door", "dresser", "garbage bin",
    "lamp", "monitor", "night stand", "pillow", "sink", "sofa", "table", "television", "toilet",
)  # fmt: skip

# The nineteen classes of the paper's Table 2; everything else in an NYUv2 frame is stuff.
NYUV2_19 = LabelSet(
    "nyuv2_19",
    (
        *(LabelClass(name, index + 1, PALETTE[index + 1]) for index, name in enumerate(_NYU_NAMES)),
        LabelClass("background", 20, PALETTE[0], thing=False),
    ),
)

# Classes for a manipulator: objects, the surfaces that support them (table, board, floor), and the background.
TABLETOP = LabelSet(
    "tabletop",
    (
        LabelClass("background", 1, (174, 199, 232), thing=False),
        LabelClass("support", 2, (255, 152, 150), thing=False),
        LabelClass("object", 3, (255, 215, 0)),
    ),
)

LABEL_SETS = {labels.name: labels for labels in (SCANNET20, NYUV2_19, SYNTHETIC, TABLETOP)}
