"""Keeps the end of each job's log in a KrknChaosJobLog, for the time after its pod.

Pure: `compression` makes the content, `eviction` says which kept logs have to go for others,
`reasons` why one was not kept. `keeper` writes them, and `room` deletes the oldest ones.
`controller.results` reads the logs, once for this and for what the scenario says of its run.
"""
