"""Programs beside the node: the demo, the README's tables, the benchmark of messages, lost messages by transport."""
