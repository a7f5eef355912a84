"""Checks the CUDA code on a card: installation, answers, speed, training and out-of-memory behaviour.

Each file has a check: a function that takes the `Card` and yields `Finding`s. With `--device cpu` the same steps run at
small sizes as a rehearsal, with plain torch operations in place of the card (see `Card.computing`).
"""
