"""Prometheus on this machine: where its programs come from, and a server that is started and asked.

For tests of alerts, and to watch the service of `make run`.
"""
