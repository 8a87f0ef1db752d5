"""From a KrknOperatorTarget to its conditions: admitted or not, reachable or not.

`controller` wires informer, work queue and sweep. `reconcile` is the loop, `decide` selects the
next step (pure), `probe` asks the cluster which user the credential belongs to, `retry_state`
remembers failures, and `sweep` removes leftovers of crashes.
"""
