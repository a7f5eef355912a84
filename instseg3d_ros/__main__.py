"""`python -m instseg3d_ros NAME …`: the same commands as `ros2 run instseg3d_ros NAME …`."""

import sys

from instseg3d_ros.commands.table import COMMANDS, run


def main() -> int:
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        width = max(map(len, COMMANDS))
        print("usage: python -m instseg3d_ros COMMAND …   (COMMAND --help for its options)\n")
        print("\n".join(f"  {name:<{width}}  {what}" for name, what in COMMANDS.items()))
        return 0 if len(sys.argv) > 1 else 2
    return run(sys.argv[1], sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
