"""The Model Context Protocol: the same operations as tools for AI agents, over HTTP and stdio."""
