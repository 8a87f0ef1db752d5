"""From completed KrknTargetRequests to KrknOperatorTargets: other providers' clusters are adopted.

Off unless KRKN_ADOPT_PROVIDERS names providers. `controller` wires informer and work queue, whose
keys are the providers. `observe` reads the newest request and its Secret, `section` checks the
provider's part of the Secret as untrusted input (pure), `decide` selects the actions (pure), `act`
executes them, and `refresh` asks for a new discovery when a job needs a newer credential.

Admission and probe of an adopted target are those of any target (`controller.targets`).
"""
