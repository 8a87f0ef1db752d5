"""Child processes that end with their parent: start, pause, kill, keep alive, wait until ready."""
