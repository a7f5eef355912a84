"""`play`: publish a recorded bag to live nodes without rosbag2."""

from __future__ import annotations

import argparse
import select
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import TYPE_CHECKING

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.errors import InputError

if TYPE_CHECKING:
    from rclpy.node import Node

    from instseg3d_ros.ros.standalone.player import Player
    from instseg3d_ros.ros.standalone.recording import Recording

EXAMPLES = """examples:
  play recording.mcap
  play recording/ --rate 0.5 --loop --clock
  play old.bag --start 12 --topics /camera/points /tf /tf_static
  play recording/ --ros-args -r /camera/points:=/points

Reads mcap, db3 and ROS 1 bags. Keys while it runs: space pauses and resumes, s plays one message, q ends."""
STATUS_PERIOD = 0.2  # seconds


def main(arguments: list[str]) -> int:
    """The command `play`; returns its exit code, raises InputError on bad arguments."""
    split = arguments.index("--ros-args") if "--ros-args" in arguments else len(arguments)
    options = _parser().parse_args(arguments[:split])
    try:
        from instseg3d_ros.ros.transport import use_large_cloud_profile

        use_large_cloud_profile()  # rclpy reads the profile when it creates its context
        import rclpy
        from rclpy.signals import SignalHandlerOptions

        from instseg3d_ros.ros.standalone.recording import Recording
    except ImportError as error:
        raise InputError(
            f"{error.name or error} is not installed; source your ROS installation, or run `make demo` once, "
            "which installs ROS 2 into .venv"
        ) from None
    with Recording(options.bag, options.topics) as recording:
        length = (recording.end - recording.start) / 1e9
        if options.start > length:
            raise InputError(f"--start {options.start:g} is after the end of the bag, which lasts {length:.1f} s")
        try:
            rclpy.init(args=["play", *arguments[split:]], signal_handler_options=SignalHandlerOptions.NO)
        except Exception as error:  # rclpy raises several types for wrong arguments
            raise InputError(f"invalid ROS arguments ({' '.join(str(error).split())[:200]})") from None
        try:
            return _play(rclpy.create_node("play"), recording, options)
        finally:
            rclpy.try_shutdown()


def _play(node: Node, recording: Recording, options: argparse.Namespace) -> int:
    from instseg3d_ros.ros.standalone.player import Player

    player = Player(node, recording, options.rate, options.clock)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: player.stop.set())
    for track in recording.tracks:
        skipped = "   (skipped: its type is not installed)" if track.topic in player.skipped else ""
        print(f"{track.topic}   {track.type}   {track.count} messages{skipped}", flush=True)
    if not player.wait_for_reader(options.wait, options.wait_for) and options.wait_for and not player.stop.is_set():
        print(
            f"no subscriber of {' and '.join(options.wait_for)} after {options.wait:g} s; playback starts without it",
            flush=True,
        )
    since = recording.start + int(1e9 * options.start)
    with _keyboard() as key, _status(player) as show:

        def tick() -> None:
            pressed = key()
            if pressed == " ":
                player.paused = not player.paused
            elif pressed == "s":
                player.steps += 1
            elif pressed == "q":
                player.stop.set()
            show()

        rounds = 0
        while not player.stop.is_set() and (options.loop or rounds == 0):
            player.play(since, tick)
            rounds += 1
        show(final=True)
    print(f"played {sum(player.sent.values())} messages in {rounds} round{'s' if rounds > 1 else ''}")
    return 0


@contextmanager
def _keyboard() -> Iterator[Callable[[], str]]:
    """A function that returns the key pressed since the last call, or ""; always "" without a terminal."""
    if not sys.stdin.isatty():
        yield lambda: ""
        return
    import termios
    import tty

    before = termios.tcgetattr(sys.stdin)
    tty.setcbreak(sys.stdin)
    try:
        yield lambda: sys.stdin.read(1) if select.select([sys.stdin], [], [], 0)[0] else ""
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


@contextmanager
def _status(player: Player) -> Iterator[Callable[..., None]]:
    """A function that redraws the status line every `STATUS_PERIOD`, if the output is a terminal."""
    last = 0.0
    length = (player.recording.end - player.recording.start) / 1e9

    def show(final: bool = False) -> None:
        nonlocal last
        if not sys.stderr.isatty() or (monotonic() - last < STATUS_PERIOD and not final):
            return
        last = monotonic()
        at = (player.now - player.recording.start) / 1e9
        counts = "  ".join(f"{topic} {count}" for topic, count in player.sent.items())
        state = "paused " if player.paused else f"x {player.rate:g}"
        with suppress(OSError):
            print(f"\r\x1b[K{min(at, length):8.1f} / {length:.1f} s   {state}   {counts}", end="", file=sys.stderr)
            sys.stderr.flush()

    try:
        yield show
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = Parser(
        prog="play", description="Publish a recorded bag to live nodes; ROS arguments follow --ros-args.",
        examples=EXAMPLES,
    )  # fmt: skip
    parser.add_argument("bag", type=Path, help="folder of a bag, or an mcap, db3 or ROS 1 bag file")
    parser.add_argument(
        "--rate", type=_positive, default=1.0, help="speed as a multiple of the recorded speed (default %(default)s)"
    )
    parser.add_argument("--loop", action="store_true", help="start again at the end of the bag")
    parser.add_argument(
        "--start", type=_seconds, default=0.0, metavar="SECONDS", help="time in the bag at which to start (default 0)"
    )
    parser.add_argument("--clock", action="store_true", help="publish the recording's time on /clock")
    parser.add_argument("--topics", nargs="+", metavar="TOPIC", help="publish only these topics")
    parser.add_argument("--wait", type=_seconds, default=3.0, metavar="SECONDS",
                        help="longest wait for a first subscriber before playback (default %(default)s)")  # fmt: skip
    parser.add_argument(
        "--wait-for", nargs="+", metavar="TOPIC", help="start when all of these topics have a subscriber"
    )
    return parser


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < 1e6:
        raise argparse.ArgumentTypeError(f"{text}: expected a number above 0")
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 1e9:
        raise argparse.ArgumentTypeError(f"{text}: expected seconds, 0 or more")
    return value
