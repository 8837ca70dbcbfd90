"""The ways in which windows become a track, by name; imports nothing heavy."""

RULES = ("mean", "logit", "vote", "trimmed")
"""Mean probability, mean logit, share of windows, mean without the tenth at either end."""
