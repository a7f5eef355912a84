"""The node's process: started, spun, ended within two seconds by a signal or a shutdown transition."""

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

PATIENCE = 0.8  # seconds that the executor's thread has to come to an end
SIGNALS = 0.2  # seconds between two looks at signals and at the end
LIMIT = 1.6  # seconds that ending may take in all


def run(arguments: list[str]) -> NoReturn:
    """Ends the process with 0 once the node is shut down; InputError for wrong arguments or a wrong model."""
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
    # The main thread does nothing but wait, so that signals are heard while a model loads or a network runs.
    executor = SingleThreadedExecutor()
    executor.add_node(node)
    problem: list[str] = []
    thread = threading.Thread(target=_spin, args=(executor, node, end, problem), name="executor", daemon=True)
    thread.start()
    while not end.wait(SIGNALS):  # a signal that another thread takes is seen only between two waits
        pass
    if not problem:
        _end_in_any_case()
    executor.wake()
    thread.join(PATIENCE)
    if not thread.is_alive():
        _end(node, executor)
    del node, executor, thread
    gc.collect()  # the last reference ends the participant, and that its shared memory, which outlives a process
    if problem:
        raise InputError(problem[0])
    # Unwinding an interpreter with a network in it takes seconds, and a thread may be inside one.
    _leave()


def _end_in_any_case() -> None:
    """Whatever the middleware or the network is doing: a supervisor that has to kill us takes us for broken."""
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
    except Exception as error:  # rclpy has several for wrong arguments, none with a common base of its own
        raise InputError(f"ROS arguments are not understood ({' '.join(str(error).split())[:300]})") from None


def _spin(executor, node: SegmentNode, end: threading.Event, problem: list[str]) -> None:
    try:
        if node.live.current.autostart and not node.start():
            problem.append(node.error)
            end.set()
        while not end.is_set():
            try:
                executor.spin_once(timeout_sec=SIGNALS)
            except Exception as error:
                # A callback that fails must not end the node; the time keeps a failing wait from burning the processor.
                text = f"a callback failed ({place(error)})"
                node.statistics.trouble(text)
                node.get_logger().error(text, throttle_duration_sec=5.0)
                time.sleep(0.01)
        if not problem:
            time.sleep(0.1)  # lets the answer to a shutdown transition leave
    finally:
        end.set()


def _end(node: SegmentNode, executor) -> None:
    with contextlib.suppress(Exception):  # a transition may have shut it down already
        node.trigger_shutdown()
    executor.shutdown(timeout_sec=0.2)
    node.destroy_node()
    rclpy.shutdown()
