"""Several operations as one: a graph or a batch, in one transaction."""
