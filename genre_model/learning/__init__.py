"""Learning: batches, normalisation, training, checkpoints, the model's folder."""
