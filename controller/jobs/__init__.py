"""From a KrknChaosJob to its pod and back to its status.

`controller` wires informers, work queue and sweep. `reconcile` is the loop: `observe` reads the
state, `decide` selects the actions, `act` carries them out; `model` has the types between them.

Pure, each an answer to one question: `preconditions` (may it start, and what does it wait for?),
`termination` (what does a pod's end mean?), `statuses` and `conditions` (what is written?), `pod`
(what is created?), `deadlines` (when does the controller act by itself?).

`claims` writes the job's uid into the record of its call, so that no other job of its id starts;
`tombstones` remember deleted pods; `create_errors` has the reasons for a create that failed.
"""
