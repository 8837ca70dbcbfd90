"""By what tracks are kept together where splits are drawn; importing this module imports nothing.

artist    who shares an artist or an album, by however long a chain; unknown artists by folder
album     an album; unknown ones by folder
folder    what lies in one folder
track     nothing
"""

SPLIT_BY = ("artist", "album", "folder", "track")
"""The first is what is taken where artists are known."""
