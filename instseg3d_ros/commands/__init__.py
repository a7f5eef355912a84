"""One small module per command, each with `main(arguments: list[str]) -> int`; `table.py` lists them."""
