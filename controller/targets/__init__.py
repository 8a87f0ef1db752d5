"""From a KrknOperatorTarget to its conditions: admitted or not, reachable or not.

`reconcile` is the loop, `decide` says what a target needs (pure), `check` looks whether its
cluster can be used, `sweep` removes what crashes left. `probe` asks a cluster who we are there.
"""
