"""Sound: decoding, waveforms, spectra, and what can be wrong with a clip."""
