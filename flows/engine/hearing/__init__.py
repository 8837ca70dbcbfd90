"""Songs and clips, many at once: by children of this process, or on a Dask cluster."""
