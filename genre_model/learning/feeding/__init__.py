"""Where training rows are while they are trained on: read again in each epoch, or kept."""
