"""The built-in data set: synthesised tracks of eight genres, in FMA's own layout."""

from genre_model.demo.encoding import render_track
from genre_model.demo.plan import DEMO_VERSION, DemoPlan, DemoTrack, plan_demo
from genre_model.demo.tables import genres_csv, tracks_csv

__all__ = [
    "DEMO_VERSION",
    "DemoPlan",
    "DemoTrack",
    "genres_csv",
    "plan_demo",
    "render_track",
    "tracks_csv",
]
