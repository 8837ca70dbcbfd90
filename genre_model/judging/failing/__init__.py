"""Where a model fails: the surest mistakes, and what disturbances of the clips cost."""
