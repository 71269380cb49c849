"""This package against hand-written Ninja, DRF and the raw driver, in one run: ``python -m benchmarks``.

Absolute numbers belong to the machine; only the ratios between peers that were measured in turns say
something. Every answer is checked, so that nobody is fast by failing.
"""
