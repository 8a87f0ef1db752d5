"""What is kept of the log of a pod that has ended, read once.

`ended_logs` reads and remembers it, beside the reconciles; `digest` makes of a log what is kept of
it; `parse` finds what krkn says of its run. The reconcile of a job waits for it, and writes it with
the job's final status.
"""
