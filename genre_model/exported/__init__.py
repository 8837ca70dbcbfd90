"""A model as a folder for anywhere: no package of this project is needed to use it."""
