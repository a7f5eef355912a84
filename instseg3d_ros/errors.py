"""The one exception that stands for a user's mistake."""


class InputError(ValueError):
    """Bad input from outside. Its message is one line: the value, the limit or what was expected, and the remedy.

    Commands print it and exit with 2; the node drops the frame and reports it in diagnostics.
    """
