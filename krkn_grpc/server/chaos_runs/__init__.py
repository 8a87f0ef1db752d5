"""Runs as things: lists them, stops them, reruns them, and merges the logs of their jobs."""
