"""Metrics of the processes: their names (`metrics`), and the port that shows them (`exposition`).

Below everything that counts. Pure code does not import it: what acts on a decision counts.
"""
