"""Tools: the demo, tables of the documentation, a benchmark of messages, and a measurement of lost messages."""
