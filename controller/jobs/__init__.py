"""From a KrknChaosJob to its pod and back to its status.

`reconcile` is the loop; `observe` looks, `decide` says what to do (pure), `act` does it. `model`
has what passes between them; `pod` and `outcome` are the pure ends: the pod that is made, and
what a pod's end means.
"""
