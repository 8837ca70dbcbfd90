"""Genres of songs by a model of the store: which files, one by one or many, kept in tables."""
