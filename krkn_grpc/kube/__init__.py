"""The only code that calls our own API server.

`access` finds the cluster and our credentials, `session` sends requests, `answers` maps answers to
their meanings, and `errors` has a class for each meaning. `paths` builds URL paths, `client` is a
typed client of one kind.

`informer` lists and watches one kind into an `object_cache`, which `index` makes queryable and
`interning` keeps small; `change_log` keeps its recent changes, for watches that resume.

`retry` repeats a create until its outcome is known, `deadline` bounds that. `logs` streams a pod's
log and `log_end` reads the end of one, `server_time` is the API server's clock, `footing` checks
our permissions and namespace.
"""
