"""One command that proves the CUDA path on a card: what is present, right answers, speed, training, out of memory.

Each file holds one check: a function that takes the `Card` and yields `Finding`s. With `--device cpu` the same steps
run at small sizes as a rehearsal, and plain torch operations stand in for the card (see `Card.computing`).
"""
