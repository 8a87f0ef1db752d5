"""What is measured of scale: how cost grows with jobs, watchers and clusters that do not answer."""
