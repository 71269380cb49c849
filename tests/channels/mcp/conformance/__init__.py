"""Other people's tests of the MCP channel: the conformance suite of the protocol's authors, and MCP Inspector.

Both are Node packages (`packages.py`). The suite asks for tools, resources and prompts by name; `service.py` adds them
to what the channel serves, behind the channel's own transport.
"""
