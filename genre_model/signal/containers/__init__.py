"""How the bytes of audio files are laid out: where their audio begins, breaks off and goes on."""
