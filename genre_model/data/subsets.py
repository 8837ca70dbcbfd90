"""FMA's subsets; importing this module imports nothing."""

SUBSETS = ("small", "medium", "large", "full")
"""The values of `set.subset`, each including those before it; FMA writes no `full`."""
