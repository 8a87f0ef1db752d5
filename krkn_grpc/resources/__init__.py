"""The contract that the server and the controller share, as pure data.

Typed Kubernetes resources, their names and labels, and the rules for ids, kubeconfigs and
addresses. Nothing here speaks to a network, reads a clock or logs: what both processes must
agree on stands here once, and each can be tested in milliseconds.
"""
