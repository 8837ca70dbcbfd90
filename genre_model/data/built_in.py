"""The built-in data set's name; importing this module imports nothing."""

BUILT_IN = "demo"
"""What `--data` calls it, and what its catalogues' ids begin with."""
