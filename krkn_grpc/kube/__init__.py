"""The only code that speaks to our own cluster's Kubernetes API.

`session` sends requests, `paths` builds the only URLs that are ever sent, `store` gives typed
access to one kind, `cache` keeps one kind in memory by list and watch. Nothing here knows what a
job or a target is.
"""
