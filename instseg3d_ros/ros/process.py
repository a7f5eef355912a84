"""The node's process. It ends within two seconds of a signal, or of the caller's reading the response to a shutdown."""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import sys
import threading
import time
from typing import NoReturn

import rclpy
from rclpy.executors import SingleThreadedExecutor
from rclpy.signals import SignalHandlerOptions

from instseg3d_ros.errors import InputError
from instseg3d_ros.memory import keep_large_buffers
from instseg3d_ros.ros.arguments import check_ros_arguments
from instseg3d_ros.ros.log import place
from instseg3d_ros.ros.node import SegmentNode
from instseg3d_ros.ros.transport import use_large_cloud_profile

SIGNALS = 0.2  # seconds between two checks for signals and for the end of the node
RESPONSE = 2.0  # seconds that the caller of a shutdown transition may take to read the response
PATIENCE = 0.8  # seconds that the executor's thread may take to end
LIMIT = 1.6  # seconds that the shutdown may take after that


def run(arguments: list[str]) -> NoReturn:
    """Run the node and exit with status 0 after its shutdown. Raises InputError for invalid arguments or models."""
    use_large_cloud_profile()
    keep_large_buffers(one_arena=True)
    _init(arguments)
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    try:
        node = SegmentNode(finished=end.set)
    except InputError:
        rclpy.shutdown()
        raise
    # The main thread only waits, so that it handles signals while another thread loads a model or runs a network.
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    problem: list[str] = []
    thread = threading.Thread(target=_spin, args=(executor, node, end, problem), name="executor", daemon=True)
    thread.start()
    while not end.wait(SIGNALS):  # Python handles a signal to another thread only between two waits
        pass
    if node.state == "finalized":
        _wait_for_caller(node)
    if not problem:
        _end_in_any_case()
    executor.wake()
    thread.join(PATIENCE)
    if not thread.is_alive():
        _end(node, executor)
    del node, executor, thread
    gc.collect()  # frees the DDS participant and its shared memory, which would outlive the process
    if problem:
        raise InputError(problem[0])
    # Finalizing an interpreter that holds a network takes seconds, and a thread may still be running the network.
    _leave()


def _wait_for_caller(node: SegmentNode) -> None:
    """Wait until nobody is a client of `~/change_state`, at most RESPONSE seconds.

    The middleware drops a response that its receiver has not read when the sender ends.
    """
    clients = getattr(node, "count_clients", lambda name: 1)  # Humble cannot count clients
    end = time.monotonic() + RESPONSE
    while clients("~/change_state") and time.monotonic() < end:
        time.sleep(0.02)


def _end_in_any_case() -> None:
    """Exit after LIMIT even if the middleware or network blocks; supervisors report killed processes as failed."""
    timer = threading.Timer(LIMIT, _leave)
    timer.daemon = True
    timer.start()


def _leave() -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


def _init(arguments: list[str]) -> None:
    check_ros_arguments(arguments)
    try:
        rclpy.init(args=["segment_node", *arguments], signal_handler_options=SignalHandlerOptions.NO)
    except Exception as error:  # rclpy raises several classes for wrong arguments, without a common base class
        raise InputError(f"invalid ROS arguments ({' '.join(str(error).split())[:300]})") from None


def _spin(executor: SingleThreadedExecutor, node: SegmentNode, end: threading.Event, problem: list[str]) -> None:
    try:
        if node.live.current.autostart and not node.start():
            problem.append(node.error)
            end.set()
        while not end.is_set():
            try:
                executor.spin_once(timeout_sec=SIGNALS)
            except Exception as error:
                # A failing callback must not end the node. The pause limits the CPU load if `spin` fails repeatedly.
                text = f"a callback failed ({place(error)})"
                node.statistics.trouble(text)
                node.get_logger().error(text, throttle_duration_sec=5.0)
                time.sleep(0.01)
    finally:
        end.set()


def _end(node: SegmentNode, executor: SingleThreadedExecutor) -> None:
    with contextlib.suppress(Exception):  # a transition may already have shut down the node
        node.trigger_shutdown()
    executor.shutdown(timeout_sec=0.2)
    node.destroy_node()
    rclpy.shutdown()
