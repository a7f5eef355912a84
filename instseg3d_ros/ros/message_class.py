"""The Python classes of the messages that `messages/topics.py` names."""

from __future__ import annotations

import importlib

from instseg3d_ros.messages.topics import Topic


def message_class(topic: Topic) -> type | None:
    """The message's Python class, or None if its package is not installed or older than the message."""
    package, name = topic.type.split("/")
    try:
        return getattr(importlib.import_module(f"{package}.msg"), name)
    except (ImportError, AttributeError):
        return None
