"""A Dask cluster of this machine's own processes, which nobody but its owner can talk to."""
