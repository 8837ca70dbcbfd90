"""Training windows that are changed at random: drawn on the host, done on the device."""
