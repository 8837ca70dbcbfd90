"""One epoch's steps: their batches, weights and rates, and what stops them."""
