"""Subscriptions to the camera that adopt the reliability, durability and message type of the publishers.

A best-effort reader receives from every publisher, but the middleware may lose large clouds. A reliable reader receives
nothing from a best-effort publisher, and a volatile reader receives no message that was published before it started.
A reader therefore starts as best effort and volatile, and takes the settings that all publishers offer once it has
discovered one.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription
from sensor_msgs.msg import PointCloud2

from instseg3d_ros.ros.clouds import CloudBytes

try:
    from rclpy.event_handler import QoSMessageLostInfo, SubscriptionEventCallbacks
except ImportError:  # Humble
    from rclpy.qos_event import QoSMessageLostInfo, SubscriptionEventCallbacks

QUEUE = 1  # messages that the middleware stores: the node uses only the newest
FIXED = {"reliable": ReliabilityPolicy.RELIABLE, "best_effort": ReliabilityPolicy.BEST_EFFORT}


class Reader:
    """One subscription. It calls `deliver(serialized message, message class)` in the executor's thread.

    kinds: the supported message classes; the first is used until a publisher is discovered.
    `problem` is the reason, as text, why no message can arrive, or empty; `lost` counts the messages that the
    middleware reported as lost.
    """

    def __init__(
        self, node: Node, topic: str, kinds: tuple[type, ...], reliability: str, deliver: Callable[[bytes, type], None]
    ):
        self._node, self._topic, self._deliver = node, topic, deliver
        self._kinds = {_type_name(kind): kind for kind in kinds}
        self._fixed = FIXED.get(reliability)
        self._subscription: Subscription | None = None
        self._again = node.create_guard_condition(self.check)
        self._kind = kinds[0]
        self.reliability, self.durability = ReliabilityPolicy.BEST_EFFORT, DurabilityPolicy.VOLATILE
        self.problem = ""
        self.lost = 0
        self._follow()
        self._subscribe()

    @property
    def topic(self) -> str:
        return self._node.resolve_topic_name(self._topic)

    @property
    def latched(self) -> bool:
        """Whether the publishers are transient local. They may publish only once, so silence is not an error."""
        return self.durability == DurabilityPolicy.TRANSIENT_LOCAL

    def close(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
        self._node.destroy_guard_condition(self._again)

    def publishers(self) -> int:
        return self._node.count_publishers(self.topic)

    def check(self) -> None:
        """Adopt the settings of the current publishers. Call this about twice a second in the executor's thread."""
        if self._subscription is None:
            return
        if self._follow():
            self._node.destroy_subscription(self._subscription)
            self._subscribe()
            quality = f"{self.reliability.name.lower()}{', latched' if self.latched else ''}"
            self._node.get_logger().info(f"{self.topic}: reading {quality}, as its publishers offer it")
        self.problem = self._mismatch()

    def _subscribe(self) -> None:
        kind = self._kind
        # With raw=True a cloud that a newer cloud replaces is never deserialized, and a malformed cloud raises no
        # exception in the executor.
        self._subscription = self._node.create_subscription(
            kind, self._topic, lambda data: self._deliver(data, kind),  # type: ignore[arg-type]  # bytes, as raw=True
            QoSProfile(depth=QUEUE, reliability=self.reliability, durability=self.durability), raw=True,
            event_callbacks=self._events(),
        )  # fmt: skip

    def _events(self) -> SubscriptionEventCallbacks:
        def changed(_event: object) -> None:
            self._again.trigger()  # a subscription cannot be replaced inside its own callback

        def lost(event: QoSMessageLostInfo) -> None:
            self.lost += event.total_count_change

        # Humble has no event for matched publishers; `check` discovers a new publisher within half a second.
        matched = {"matched": changed} if "matched" in signature(SubscriptionEventCallbacks).parameters else {}
        return SubscriptionEventCallbacks(
            incompatible_qos=changed, message_lost=lost, use_default_callbacks=False, **matched
        )

    def _offers(self) -> list[Any]:
        return self._node.get_publishers_info_by_topic(self.topic)

    def _follow(self) -> bool:
        """Read the settings that the publishers offer; True if they differ from those of the subscription."""
        before = (self.reliability, self.durability, self._kind)
        known = [offer for offer in self._offers() if offer.topic_type in self._kinds]
        if known:
            self._kind = self._kinds[known[0].topic_type]
            reliable = all(offer.qos_profile.reliability == ReliabilityPolicy.RELIABLE for offer in known)
            latched = all(offer.qos_profile.durability == DurabilityPolicy.TRANSIENT_LOCAL for offer in known)
            self.reliability = ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT
            self.durability = DurabilityPolicy.TRANSIENT_LOCAL if latched else DurabilityPolicy.VOLATILE
        if self._fixed is not None:
            self.reliability = self._fixed
        return before != (self.reliability, self.durability, self._kind)

    def _mismatch(self) -> str:
        for offer in self._offers():
            name = f"{offer.node_namespace.rstrip('/')}/{offer.node_name}"
            if offer.topic_type not in self._kinds:
                expected = " or ".join(self._kinds)
                return f"{name} publishes {offer.topic_type} on {self.topic}; expected {expected}"
            offered = offer.qos_profile.reliability
            if self._fixed == ReliabilityPolicy.RELIABLE and offered == ReliabilityPolicy.BEST_EFFORT:
                return (
                    f"{name} offers {self.topic} best effort, but the parameter reliability requests reliable; "
                    "nothing arrives: set reliability to auto"
                )
        return ""


class CloudInput(Reader):
    """Subscribes to the camera's clouds and delivers them as `CloudBytes`."""

    def __init__(self, node: Node, topic: str, reliability: str, deliver: Callable[[CloudBytes], None]):
        super().__init__(node, topic, (PointCloud2,), reliability, lambda data, _: deliver(CloudBytes(data)))


def _type_name(kind: type) -> str:
    return f"{kind.__module__.split('.')[0]}/msg/{kind.__name__}"
