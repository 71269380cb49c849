"""REST on Ninja: resource paths, nodes by name, batch, export, OpenAPI, docs, probes."""
