"""Type supports for message types whose packages are not installed, to publish and receive serialized bytes.

tf2_msgs is not available as a wheel, and bags contain types of packages that are not installed. The middleware needs a
name, a hash and some callbacks. It does not call the callbacks that serialize if messages are published as bytes
(`publisher.publish(bytes)`) and subscribed with `raw=True`. The structs are those of rosidl_runtime_c,
rosidl_typesupport_fastrtps_cpp and rosidl_typesupport_introspection_c in Jazzy; the middleware must be Fast DDS. The
structs may differ in other releases, so that `supported` accepts only tested releases.
"""

from __future__ import annotations

import ctypes
import functools
from importlib import metadata

FASTRTPS = b"rosidl_typesupport_fastrtps_c"
INTROSPECTION = b"rosidl_typesupport_introspection_c"
UNBOUNDED = b"\0"

RELEASES = {7: "Jazzy"}  # major version of rclpy → release in which raw types were tested

_POINTER, _SIZE = ctypes.c_void_p, ctypes.c_size_t


def _struct(label: str, /, **members: type) -> type[ctypes.Structure]:
    return type(label, (ctypes.Structure,), {"_fields_": list(members.items())})


_String = _struct("String", data=ctypes.c_char_p, size=_SIZE, capacity=_SIZE)
_Sequence = _struct("Sequence", data=_POINTER, size=_SIZE, capacity=_SIZE)
_Individual = _struct("IndividualTypeDescription", type_name=_String, fields=_Sequence)
_Description = _struct("TypeDescription", type_description=_Individual, referenced=_Sequence)
_Hash = _struct("TypeHash", version=ctypes.c_uint8, value=ctypes.c_uint8 * 32)
_TypeSupport = _struct(
    "MessageTypeSupport", identifier=ctypes.c_char_p, data=_POINTER, find=_POINTER, get_hash=_POINTER,
    get_description=_POINTER, get_sources=_POINTER,
)  # fmt: skip
_Callbacks = _struct(
    "Callbacks", namespace=ctypes.c_char_p, name=ctypes.c_char_p, serialize=_POINTER, deserialize=_POINTER,
    serialized_size=_POINTER, max_serialized_size=_POINTER, key_callbacks=_POINTER,
)  # fmt: skip
_Members = _struct(
    "MessageMembers", namespace=ctypes.c_char_p, name=ctypes.c_char_p, count=ctypes.c_uint32, size_of=_SIZE,
    has_key=ctypes.c_bool, members=_POINTER, init=_POINTER, fini=_POINTER,
)  # fmt: skip


def supported() -> str:
    """The reason, in one line, why raw types cannot be used; empty if they can be used."""
    import rclpy

    middleware = rclpy.get_rmw_implementation_identifier()
    if "fastrtps" not in middleware:
        return f"the middleware is {middleware}, not Fast DDS"
    try:
        version = metadata.version("rclpy")
    except metadata.PackageNotFoundError:
        version = "unknown"
    if version.partition(".")[0] not in map(str, RELEASES):
        tested = ", ".join(f"{number} ({name})" for number, name in RELEASES.items())
        return f"rclpy has version {version}; tested versions: {tested}"
    return ""


_alive: list = []  # the middleware keeps pointers to these objects until the process ends


@functools.cache
def raw_type(package: str, name: str, type_hash: str = "") -> type:
    """A message class for publishers and `raw=True` subscriptions of package/msg/name.

    type_hash: the 64 hexadecimal digits after RIHS01_, or empty if unknown.
    """
    pack = ctypes.CFUNCTYPE(ctypes.c_bool, _POINTER, _POINTER)(lambda message, buffer: False)
    size = ctypes.CFUNCTYPE(ctypes.c_uint32, _POINTER)(lambda message: 4)

    def write_bounds(bounds: int) -> int:
        ctypes.memmove(bounds, UNBOUNDED, 1)
        return 4

    largest = ctypes.CFUNCTYPE(_SIZE, _POINTER)(write_bounds)
    callbacks = _Callbacks(
        f"{package}::msg".encode(), name.encode(), _address(pack), _address(pack), _address(size), _address(largest)
    )
    members = _Members(f"{package}__msg".encode(), name.encode(), 0, 1)
    digits = bytes.fromhex(type_hash) if type_hash else bytes(32)
    known = _Hash(1 if type_hash else 0, (ctypes.c_uint8 * 32)(*digits))
    full = f"{package}/msg/{name}".encode()
    description = _Description(_Individual(_String(full, len(full), len(full) + 1)))
    sources = _Sequence()
    getters = [
        ctypes.CFUNCTYPE(_POINTER, _POINTER)(lambda _, what=what: ctypes.addressof(what))
        for what in (known, description, sources)
    ]
    supports = {
        FASTRTPS: _TypeSupport(FASTRTPS, ctypes.addressof(callbacks)),
        INTROSPECTION: _TypeSupport(INTROSPECTION, ctypes.addressof(members)),
    }

    def support_of(_: int, identifier: bytes) -> int | None:
        return ctypes.addressof(supports[identifier]) if identifier in supports else None

    find = ctypes.CFUNCTYPE(_POINTER, _POINTER, ctypes.c_char_p)(support_of)
    for support in supports.values():
        support.find = _address(find)
        support.get_hash, support.get_description, support.get_sources = map(_address, getters)
    _alive.append((pack, size, largest, callbacks, members, known, full, description, sources, getters, supports, find))
    return _message_class(package, name, ctypes.addressof(supports[FASTRTPS]))


def _message_class(package: str, name: str, address: int) -> type:
    """A class as rclpy expects it: its metaclass has capsules; the capsules that convert messages are not used."""
    new = ctypes.pythonapi.PyCapsule_New
    new.restype, new.argtypes = ctypes.py_object, (_POINTER, ctypes.c_char_p, _POINTER)
    capsule = new(address, None, None)
    names = ("_TYPE_SUPPORT", "_CREATE_ROS_MESSAGE", "_CONVERT_FROM_PY", "_CONVERT_TO_PY", "_DESTROY_ROS_MESSAGE")
    metaclass = type(f"Metaclass_{name}", (type,), dict.fromkeys(names, capsule))
    return metaclass(name, (), {"__module__": f"{package}.msg", "__slots__": ()})


def _address(function: ctypes._FuncPointer) -> int:
    return ctypes.cast(function, _POINTER).value or 0
