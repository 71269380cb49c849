"""A small shop: the project that the demo and the tests run on."""
