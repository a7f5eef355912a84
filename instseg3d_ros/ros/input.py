"""The subscription to the camera: its reliability is the publishers', and is made anew when theirs changes.

A best-effort reader hears everybody, but the middleware may lose large clouds; a reliable one is not heard by a
best-effort camera at all. So: best effort until a publisher is known, then reliable if all of them are.
"""

from __future__ import annotations

from collections.abc import Callable

from rclpy.event_handler import SubscriptionEventCallbacks
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import PointCloud2

FIXED = {"reliable": ReliabilityPolicy.RELIABLE, "best_effort": ReliabilityPolicy.BEST_EFFORT}
TYPE = "sensor_msgs/msg/PointCloud2"


class CloudInput:
    """Hands serialized clouds to `deliver`. `check()` is to be called about twice a second, in the executor's thread.

    `problem` says in words why nothing can arrive, or is empty.
    """

    def __init__(self, node, topic: str, reliability: str, depth: int, deliver: Callable[[bytes], None]):
        self._node, self._topic, self._depth, self._deliver = node, topic, depth, deliver
        self._fixed = FIXED.get(reliability)
        self._subscription = None
        self._again = node.create_guard_condition(self.check)
        self.reliability = ReliabilityPolicy.BEST_EFFORT  # heard by, and hears, everybody
        self.reliability = self._wanted()
        self.problem = ""
        self._subscribe()

    @property
    def topic(self) -> str:
        return self._node.resolve_topic_name(self._topic)

    def close(self) -> None:
        if self._subscription is not None:
            self._node.destroy_subscription(self._subscription)
            self._subscription = None
        self._node.destroy_guard_condition(self._again)

    def publishers(self) -> int:
        return self._node.count_publishers(self.topic)

    def check(self) -> None:
        """Follow the publishers of now."""
        if self._subscription is None:
            return
        wanted = self._wanted()
        if wanted != self.reliability:
            self.reliability = wanted
            self._node.destroy_subscription(self._subscription)
            self._subscribe()
            self._node.get_logger().info(f"{self.topic}: reading {wanted.name.lower()}, as its publishers offer it")
        self.problem = self._mismatch()

    def _subscribe(self) -> None:
        # Raw: clouds that are overtaken by a newer one are never unpacked, and a broken one cannot raise in here.
        self._subscription = self._node.create_subscription(
            PointCloud2, self._topic, self._deliver, QoSProfile(depth=self._depth, reliability=self.reliability),
            raw=True, event_callbacks=self._events(),
        )  # fmt: skip

    def _events(self) -> SubscriptionEventCallbacks:
        def changed(_event):
            self._again.trigger()  # a subscription cannot be replaced inside its own callback

        return SubscriptionEventCallbacks(incompatible_qos=changed, matched=changed, use_default_callbacks=False)

    def _offers(self):
        return self._node.get_publishers_info_by_topic(self.topic)

    def _wanted(self) -> ReliabilityPolicy:
        if self._fixed is not None:
            return self._fixed
        offers = [offer.qos_profile.reliability for offer in self._offers() if offer.topic_type == TYPE]
        if not offers:
            return self.reliability
        reliable = all(offer == ReliabilityPolicy.RELIABLE for offer in offers)
        return ReliabilityPolicy.RELIABLE if reliable else ReliabilityPolicy.BEST_EFFORT

    def _mismatch(self) -> str:
        for offer in self._offers():
            name = f"{offer.node_namespace.rstrip('/')}/{offer.node_name}"
            if offer.topic_type != TYPE:
                return f"{name} publishes {offer.topic_type} on {self.topic}; expected {TYPE}"
            offered = offer.qos_profile.reliability
            if self._fixed == ReliabilityPolicy.RELIABLE and offered == ReliabilityPolicy.BEST_EFFORT:
                return (
                    f"{name} offers {self.topic} best effort and the parameter reliability asks for reliable; "
                    "nothing arrives: set reliability to auto"
                )
        return ""
