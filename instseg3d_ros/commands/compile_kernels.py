"""`compile_kernels`: compile all C++ kernels ahead of time."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from instseg3d_ros.commands.parser import Parser
from instseg3d_ros.errors import InputError

EXAMPLES = """examples:
  compile_kernels                                        for this machine, into the user's cache
  compile_kernels --isa x86-64-v3 --out /opt/kernels     for any processor with AVX2, as in a container image

Without this command, the kernels are compiled at first use. If you choose another folder or instruction set, set
INSTSEG3D_KERNELS (the folder) and INSTSEG3D_ISA (the instruction set) for the node; it then needs no compiler."""


def main(arguments: list[str]) -> int:
    """The command `compile_kernels`; returns its exit code, raises InputError if a kernel cannot be compiled."""
    parser = Parser(
        prog="compile_kernels", description="Compile all C++ kernels ahead of time.", examples=EXAMPLES,
    )  # fmt: skip
    parser.add_argument("--isa", metavar="NAME", help="instruction set: a value of -march (default: this processor's)")
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="output folder of the libraries (default: the user's cache)"
    )
    options = parser.parse_args(arguments)
    from instseg3d_ros.sparse.native import build

    if options.out is not None:
        os.environ[build.FOLDER] = str(options.out.resolve())
    isa = build.instruction_set() if options.isa is None else options.isa
    try:
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            libraries = list(pool.map(lambda source: build.library(source, isa), build.SOURCES.values()))
    except build.BuildError as error:
        raise InputError(str(error)) from None
    print(*libraries, sep="\n")
    folders = {library.parent for library in libraries}
    if options.out is not None and folders != {options.out.resolve()}:
        raise InputError(
            f"--out {options.out}: the folder cannot be written; the libraries were written to {folders.pop()}"
        )
    return 0
