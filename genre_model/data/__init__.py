"""Data sets: catalogues, layouts, labels and splits, known defects."""
