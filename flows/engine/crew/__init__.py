"""The workers of a Dask cluster that were found fit, and may be given work."""
