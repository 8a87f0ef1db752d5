"""Exclusive reservations of a target's name and URL, for the server and the controller both.

The server admits the targets that it registers, the controller those written with kubectl. Both use
the same reservations, so they can never admit two targets for one cluster. The rules:

1. A process that admits a target reads it, takes its reservations, and writes the condition for
   exactly the version that was read. If that version is gone, it starts again.
2. Taking a reservation again that the target already holds is a write too: it gets a new version.
3. A reservation is deleted only in the version that was seen, and only by
   a) the process that made it and finds it unchanged;
   b) the process that took it, lost the other one, and wrote that refusal for the version read;
   c) a process that read it and then wrote to its target, which no longer needs it;
   d) any process that read it and then found its target gone or not in need of it.

So a reservation that an admission relies on is never deleted. By rule 2 the admission has given it
a version of its own, so (a) finds it changed. (b) and (c) wrote the target after they saw that
version, so the admission's own write, for a target read before, fails. (d) read the target after
the reservation; if that was before the spec of the admission, the write of rule 2 came later.
"""
