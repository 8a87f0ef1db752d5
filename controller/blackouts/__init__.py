"""The blackouts: which there are and are in force, and what the controller says of them.

`current` knows the blackouts and tells when one begins or ends; the controller of jobs asks it
before each start. `timetable` and `conditions` are the pure parts of it.
"""
