"""The contract that the server and the controller share, as pure data.

Typed Kubernetes resources, their names and labels, and the rules for ids, kubeconfigs and
addresses. Nothing here uses a network or logs, and only `ids.new_id` reads a clock: the rules that
both processes must agree on are here once, and each can be tested in milliseconds.
"""
