"""What decides a track's split where its data brings none."""
