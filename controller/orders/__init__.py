"""Standing orders, which are halts and blackouts: which there are, and whether they can be read.

`current` knows the orders of one kind and whether any could be missing. `controller` writes the
condition of one that cannot be read; `conditions` is the pure part of it.
"""
