"""The domain, pure: audio to features, catalogue, networks, training, metrics and prediction."""
