"""The scenarios that there are to run, and the checks of what a run gives them.

The entries of the release are the JSON files of this package; an administrator's folder may add to
them. Beside `built_in` and `folder`, which read files, everything here is pure.
"""
