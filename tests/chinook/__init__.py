"""A database that other people made, with names of its own style, asked through every channel."""
