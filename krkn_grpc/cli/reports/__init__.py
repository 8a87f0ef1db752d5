"""Reports of a run: what is read for one (`gather`), its content (`model`), and a file per form.

A form is a pure function from the content to the text of a file. Names, messages and logs come from
elsewhere: each form escapes them by a writer that knows its syntax, not by joining strings.
"""
