"""What a Dask worker runs; nothing here imports Prefect."""
