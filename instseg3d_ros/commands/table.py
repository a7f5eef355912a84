"""The table of commands, which `ros2 run instseg3d_ros NAME` and `python -m instseg3d_ros NAME` use."""

from collections.abc import Callable

COMMANDS = {
    "segment_node": "the ROS 2 node: PointCloud2 in, labelled clouds and instance markers out",
    "segment": "segment files and bags without ROS",
    "train": "train a network and export its weights",
    "prepare": "convert downloaded ScanNet v2 or NYUv2 data into training scenes",
    "evaluate": "measure average precision and IoU of a model, a method or a folder of predictions",
    "generate": "render labelled synthetic rooms and tabletops",
    "benchmark": "measure the speed of every stage and of comparable libraries",
    "compile_kernels": "compile the C++ kernels ahead of time, for machines without a compiler",
    "gpu_check": "check answers, speed, training and out-of-memory behaviour on a CUDA card",
    "play": "publish a recorded bag to live nodes, without rosbag2",
}


def run(name: str, arguments: list[str] | None = None) -> int:
    """Run the command `name`; returns its exit code. Only the module of this command is imported."""
    import errno
    import importlib
    import sys

    if name not in COMMANDS:
        import difflib

        near = difflib.get_close_matches(name, COMMANDS, n=1)
        hint = f" (did you mean {near[0]}?)" if near else ""
        print(f"instseg3d_ros: no command '{name}'{hint}; one of: {', '.join(COMMANDS)}", file=sys.stderr)
        return 2
    from instseg3d_ros.errors import InputError
    from instseg3d_ros.memory import keep_large_buffers

    keep_large_buffers()
    try:
        command = importlib.import_module(f"instseg3d_ros.commands.{name}")
        return command.main(sys.argv[1:] if arguments is None else arguments) or 0
    except InputError as error:
        # An error from a loader's process contains a traceback; its last line is the message.
        text = str(error).strip().rpartition("InputError: ")[2] if "Original Traceback" in str(error) else error
        print(f"{name}: {text}", file=sys.stderr)
        return 2
    except ImportError as error:
        from instseg3d_ros.extras import remedy

        text = remedy(error)
        if not text:
            raise
        print(f"{name}: {text}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # the reader of the output has closed the pipe (| head)
        sys.stderr.close()
        return 0
    except KeyboardInterrupt:
        return 130
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        where = f" ({error.filename})" if error.filename else ""
        print(f"{name}: no space left on the disk{where}; free some space, then run the command again", file=sys.stderr)
        return 2


def _entry(name: str) -> Callable[[], int]:
    return lambda: run(name)


globals().update({name: _entry(name) for name in COMMANDS})
