"""The controller: it reconciles the custom resources and writes their status.

`app` wires it up; `work_queue` gives each object to one worker at a time. `jobs`, `targets` and
`provider` each handle one kind; jobs and targets in the steps observe, decide (pure), act.
"""
