"""The halts: which there are, and what the controller says of them.

`current` knows the halts, for whoever is about to start a scenario; `controller` writes the
condition of one that cannot be read, with `conditions`, which is pure. Jobs are ended by their own
controller.
"""
