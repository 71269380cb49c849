"""Sphinx: Markdown pages with MyST, shown by furo. `make docs` treats every warning as an error."""

from importlib.metadata import version as installed

project = "dataflow-nexus"
author = "the dataflow-nexus authors"
version = release = installed("dataflow-nexus")

extensions = ["myst_parser"]
exclude_patterns = ["_build"]
nitpicky = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_title = f"dataflow-nexus {release}"
