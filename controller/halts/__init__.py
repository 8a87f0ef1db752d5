"""The halts: which there are, and what the controller says of them.

`current` knows the halts and whether any could be missing; the controller of jobs asks it before
each start, and ends halted jobs. `conditions` is what is said of a halt that cannot be read.
"""
