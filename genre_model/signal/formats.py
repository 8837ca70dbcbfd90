"""Which formats of audio are read, in words; imports nothing heavy."""

READ = "WAV, AIFF, AU, CAF, W64, FLAC, MP3, Ogg Vorbis and Opus are read"
CONVERT = f"{READ}; convert it, as by `ffmpeg -i X X.flac`"
"""What to do with a file of another format; goes on a sentence that names it."""
