"""Opens recordings with rosbags' reader, and also recordings that rosbags does not read.

These are folders without metadata.yaml or with a wrong one, single compressed files, and mcap files with additional
channels in other encodings.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import BinaryIO

from rosbags.highlevel import AnyReader
from rosbags.highlevel.anyreader import AnyReaderError
from rosbags.interfaces import Connection, ConnectionExtRosbag2
from rosbags.rosbag2 import storage_mcap
from rosbags.rosbag2.reader import DirectoryReader, Reader
from rosbags.rosbag2.storage_mcap import McapReader, Schema
from rosbags.rosbag2.storage_sqlite3 import Sqlite3Reader
from rosbags.typesys import Stores, get_typestore

from instseg3d_ros.data.clouds.reading import reading
from instseg3d_ros.errors import InputError

STORAGE = (".mcap", ".db3")
COMPRESSED = ".zstd"
SCHEMAS = ("ros2msg", "ros2idl", "omgidl", "")  # encodings of ROS 2 type descriptions


@contextmanager
def open_bag(path: Path) -> Iterator[AnyReader]:
    """A reader of all connections with ROS messages. Raises InputError with a remedy if there are none."""
    path = Path(path)
    if path.name.endswith(".bag.active"):
        raise InputError(
            f"{path}: a ROS 1 bag whose recording did not end; run `rosbag reindex {path.name}` and rename it to "
            f"{path.name.removesuffix('.active')}"
        )
    with ExitStack() as stack:
        with reading(path, "a bag", remedy(path)):
            reader = _open(path, stack)
            stack.callback(reader.close)
        yield reader


def remedy(path: Path) -> str:
    """The command that repairs a damaged recording of this kind."""
    if path.is_dir():
        return f"`ros2 bag reindex {path.name}` writes its metadata anew"
    name = path.name.removesuffix(COMPRESSED)
    if name.endswith(".bag"):
        return f"`rosbag reindex {name}` saves what is left of it"
    if name.endswith(".db3"):
        return f"`sqlite3 {name} .recover | sqlite3 new.db3` saves what is left of it"
    return f"`mcap recover {name} -o new.mcap` saves what is left of it"


def storage_files(folder: Path) -> list[Path]:
    """Storage files of a ROS 2 bag's folder, including compressed files, in the order of their names."""
    names = (*STORAGE, *(kind + COMPRESSED for kind in STORAGE))
    return sorted(p for p in folder.iterdir() if p.name.endswith(names) and not p.name.startswith("."))


def _open(path: Path, stack: ExitStack) -> AnyReader:
    if not path.is_dir():
        return _opened([path], stack)
    if not (path / "metadata.yaml").is_file():
        return _opened(_files_of(path), stack)
    try:
        return _opened([path], stack)
    except (AnyReaderError, AttributeError, TypeError) as error:  # an empty metadata.yaml raises the last two
        if "ompression" in str(error) or not storage_files(path):
            raise
        return _opened(_files_of(path), stack)  # the metadata are wrong, but the files may be valid


def _files_of(folder: Path) -> list[Path]:
    files = storage_files(folder)
    if not files:
        raise InputError(f"{folder}: holds no metadata.yaml and no {' or '.join('*' + kind for kind in STORAGE)}")
    return files


def _opened(paths: list[Path], stack: ExitStack) -> AnyReader:
    for path in paths:
        if path.is_file() and not path.stat().st_size:
            raise InputError(f"{path}: the file is empty")
    reader = _Bags([_decompressed(path, stack) if path.suffix == COMPRESSED else path for path in paths])
    reader.open()
    return reader


def _decompressed(path: Path, stack: ExitStack) -> Path:
    try:
        from compression import zstd  # type: ignore[import-not-found]
    except ImportError:  # Python before 3.14
        from backports import zstd

    target = Path(stack.enter_context(tempfile.TemporaryDirectory())) / path.stem
    with open(path, "rb") as packed, zstd.open(packed, "rb") as source, open(target, "wb") as copy:
        shutil.copyfileobj(source, copy)
    return target


class _Mcap(McapReader):
    """A reader of mcap files with any profile; `connections` contains only those of ROS 2."""

    def open(self) -> None:
        self.schemas = known = _Schemas()
        with _lenient_strings():
            super().open()
        try:
            kept = [c for c in self.connections if _encoding(c) == "cdr" and c.msgtype not in known.foreign]
            if self.connections and not kept:
                raise InputError(_not_ros2(Path(str(self.path)), self.connections, known.foreign))
        except BaseException:
            self.close()
            raise
        self.connections = kept


class _Schemas(dict):
    """Schemas by number; schemas of other encodings are replaced by empty ones and recorded in `foreign`."""

    def __init__(self) -> None:
        super().__init__()
        self.foreign: dict[str, str] = {}  # name → encoding

    def __setitem__(self, number: int, schema: Schema) -> None:
        if schema.encoding not in SCHEMAS:
            self.foreign[schema.name] = schema.encoding
            schema = Schema(schema.id, schema.name, "", "")
        super().__setitem__(number, schema)


def _encoding(connection: Connection) -> str:
    return connection.ext.serialization_format if isinstance(connection.ext, ConnectionExtRosbag2) else "ros1"


def _not_ros2(path: Path, connections: Sequence[Connection], foreign: dict[str, str]) -> str:
    held = ", ".join(f"{c.topic} ({_encoding(c) or foreign.get(c.msgtype) or 'unknown'})" for c in connections[:4])
    if any(_encoding(c) == "ros1" or foreign.get(c.msgtype) == "ros1msg" for c in connections):
        return (
            f"{path}: holds messages of ROS 1 ({held}); give the .bag that it was made from, or convert that: "
            "`rosbags-convert --src old.bag --dst new`"
        )
    return f"{path}: no channel holds ROS 2 messages (cdr); its channels: {held}; record or convert it as ROS 2"


@contextmanager
def _lenient_strings() -> Iterator[None]:
    """A context for opening an mcap: any profile is accepted as "ros2", and other schemas may be binary."""
    plain, profile_read = storage_mcap.read_string, False

    def read_string(bio: BinaryIO) -> str:
        nonlocal profile_read
        text = storage_mcap.read_bytes(bio).decode("utf-8", "replace")
        if not profile_read:  # the first string is the profile, which rosbags requires but some tools leave empty
            profile_read, text = True, "ros2"
        return text

    storage_mcap.read_string = read_string
    try:
        yield
    finally:
        storage_mcap.read_string = plain


def _by_suffix(path: Path) -> _Mcap | Sqlite3Reader:
    return _Mcap(path) if path.suffix == ".mcap" else Sqlite3Reader(path)


class _Folder(DirectoryReader):
    # Some versions of rosbag2 leave the identifier empty.
    STORAGE_PLUGINS = {"mcap": _Mcap, "sqlite3": Sqlite3Reader, "": _by_suffix}  # type: ignore[dict-item] # noqa: RUF012


class _Storage(Reader):
    STORAGE_PLUGINS = {"dir": _Folder, ".mcap": _Mcap, ".db3": Sqlite3Reader}  # noqa: RUF012


class _Bags(AnyReader):
    def __init__(self, paths: list[Path]):
        super().__init__(paths, default_typestore=get_typestore(Stores.ROS2_JAZZY))
        if self.is2:
            self.readers = [_Storage(path) for path in paths]
