"""Speed of every stage beside its peers, measured in one run, contestants taking turns."""
