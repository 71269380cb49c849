"""Ways in: each translates its protocol to (node, parameters) and back, and does nothing else."""
