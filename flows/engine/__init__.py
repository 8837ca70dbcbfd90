"""Where work runs: Dask, bounded submission, progress, what is left behind by nobody."""
