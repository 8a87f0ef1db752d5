"""The controller: it makes resources true and writes down what became of them.

`assembly` wires it up, `queue` gives every object's turn to one worker at a time. `jobs`,
`targets` and `provider` each hold one kind's way: observe, decide (pure), act.
"""
