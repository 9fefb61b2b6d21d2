"""The user's labels, and the targets of the network's outputs."""
