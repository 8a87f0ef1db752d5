"""The runs: what each says to its jobs, and what became of it.

`limits` answers for one job whether its run still lets it start or go on; the controller of jobs
asks it before each step. `progress` counts the jobs of a run; `reconcile` writes that into the
run's status, seldom, and removes runs that nobody needs any more. `departures` remembers the
outcomes of jobs that are gone, or about to go, until a status has them.
"""
