"""Programs beside the node: demo, tables of the documentation, benchmark of messages, lost messages by transport."""
