"""Judging: metrics, comparisons, plots, the report."""
