"""Backbones in a store: where they are from, and the presets that they make."""
