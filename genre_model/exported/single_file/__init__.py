"""A model as one ONNX file, from the samples of a song to the probabilities of its genres."""

SONG_FILE = "song.onnx"
