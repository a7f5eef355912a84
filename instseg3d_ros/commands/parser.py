"""The argument parser of all commands: examples after the options, no abbreviations, error messages of one line."""

from __future__ import annotations

import argparse
from typing import NoReturn

from instseg3d_ros.errors import InputError


class Parser(argparse.ArgumentParser):
    """An argument parser that raises InputError on a bad argument; `examples` are printed without reflow."""

    def __init__(self, prog: str, description: str = "", examples: str = ""):
        super().__init__(
            prog=prog, description=description, epilog=examples, allow_abbrev=False,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip

    def error(self, message: str) -> NoReturn:
        raise InputError(f"{message} (--help lists all options)")
