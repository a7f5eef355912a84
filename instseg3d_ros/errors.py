"""The exception for invalid input from users."""


class InputError(ValueError):
    """Invalid input. Its message is one line with the value, the limit or the expected value, and the remedy.

    Commands print it and exit with 2; the node drops the frame and reports it in diagnostics.
    """
