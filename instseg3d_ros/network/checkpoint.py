"""Model files: weights in safetensors, whose metadata hold architecture, label set, recipe and scores.

No data are unpickled.
"""

from __future__ import annotations

import json
import math
import platform
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from instseg3d_ros.errors import InputError
from instseg3d_ros.labels import LabelSet
from instseg3d_ros.network.architecture import Architecture
from instseg3d_ros.network.model import Network
from instseg3d_ros.paths import share
from instseg3d_ros.replacing import replacing
from instseg3d_ros.version import __version__

KEY = "instseg3d_ros"  # name of the card in the safetensors metadata
FORMAT = 1


@dataclass
class ModelCard:
    """The metadata that are stored with the weights.

    segmentation: values for `Options`; calibration: a map of scores; class_weight (C,): the weight of each class in
    the loss, or None if the weights were equal or are unknown.
    """

    architecture: Architecture
    labels: LabelSet
    recipe: dict = field(default_factory=dict)
    scores: dict = field(default_factory=dict)
    segmentation: dict = field(default_factory=dict)
    calibration: dict | None = None
    class_weight: list[float] | None = None
    versions: dict = field(default_factory=dict)

    def to_json(self) -> str:
        content = {entry.name: getattr(self, entry.name) for entry in fields(self)}
        content["architecture"] = asdict(self.architecture)
        content["labels"] = json.loads(self.labels.to_json())
        return json.dumps({"format": FORMAT, **content})

    @staticmethod
    def from_json(text: str) -> ModelCard:
        content = json.loads(text)
        if content.pop("format", None) != FORMAT:
            raise InputError(
                f"its format is not {FORMAT}, which this version reads; export the model again with `train`"
            )
        known = {entry.name for entry in fields(Architecture)}
        architecture = Architecture(**{k: v for k, v in content.pop("architecture").items() if k in known})
        labels = LabelSet.from_json(json.dumps(content.pop("labels")))
        return ModelCard(architecture, labels, **content)


def save(path: Path, network: Network, card: ModelCard, dtype: torch.dtype = torch.float32) -> None:
    """Write `path` under a temporary name and rename it. dtype float16 halves the file; `load` converts to float32."""
    card.versions = {"instseg3d_ros": __version__, "torch": torch.__version__, "python": platform.python_version()}
    tensors = {
        name: (value.to(dtype) if value.is_floating_point() else value).detach().cpu().contiguous()
        for name, value in network.state_dict().items()
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as beside:
        save_file(tensors, beside, metadata={KEY: card.to_json()})
        beside.chmod(0o644)  # safetensors lets only the owner read, but all users read an installed model


def load(path: Path) -> tuple[Network, ModelCard]:
    """Read a network, in eval mode, and its card. Raises InputError that names the problem of the file."""
    path = Path(path)
    if not path.is_file():
        raise InputError(f"{path}: model file not found; pass a name in models/ or the path of a .safetensors file")
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a dict)
        card = ModelCard.from_json(metadata[KEY])
        if "object_head.mean" in tensors and not card.architecture.object_inputs:
            raise InputError(
                "the inputs of the object head have no names, as in files of older versions; train the object head"
                " again (`train`, `object_scenes`)"
            )
        network = Network(card.architecture)
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    except KeyError as error:
        raise InputError(
            f"{path}: the metadata has no entry {error}; only models that `train` exported can be read"
        ) from None
    except (SafetensorError, OSError, TypeError, ValueError) as error:
        raise InputError(
            f"{path}: cannot be read as a safetensors model ({_line(error)}); export the model again"
        ) from None
    _check(path, network.state_dict(), tensors)
    network.load_state_dict(
        {name: value.float() if value.is_floating_point() else value for name, value in tensors.items()}
    )
    if card.class_weight is not None and not (
        len(card.class_weight) == len(card.labels) and all(0 < weight < math.inf for weight in card.class_weight)
    ):
        raise InputError(f"{path}: its class_weight is not one number above 0 for each class; export it again")
    if len(card.labels) != card.architecture.classes:
        raise InputError(f"{path}: {len(card.labels)} labels for {card.architecture.classes} classes; they must agree")
    return network.eval(), card


def _check(path: Path, expected: dict, found: dict) -> None:
    for word, names in (("lacks", expected.keys() - found.keys()), ("has unknown", found.keys() - expected.keys())):
        if names:
            raise InputError(
                f"{path}: {word} tensor {min(names)} and {len(names) - 1} more; weights and architecture of the file "
                "do not agree"
            )
    for name, value in found.items():
        if value.shape != expected[name].shape:
            raise InputError(
                f"{path}: {name} has shape {tuple(value.shape)}; its architecture needs {tuple(expected[name].shape)}"
            )
        if value.is_floating_point() != expected[name].is_floating_point():
            raise InputError(f"{path}: {name} has type {value.dtype}; its architecture needs {expected[name].dtype}")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise InputError(f"{path}: {name} holds NaN or infinity; the training diverged or the file was altered")


def _line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def find(model: str) -> Path:
    """Path of the model file for a name in models/ or a path. Raises InputError if it is not found."""
    path = Path(model)
    if path.suffix == ".safetensors" or path.exists():
        return path
    named = share("models") / f"{model}.safetensors"
    if not named.is_file():
        names = sorted(p.stem for p in share("models").glob("*.safetensors"))
        raise InputError(
            f"model '{model}' not found; available: {', '.join(names) or 'none'}; or pass a .safetensors path"
        )
    return named
