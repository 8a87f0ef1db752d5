"""How a target comes to hold its name and its URL alone, for the server and the controller both.

The server admits what it registers, the controller what was written with kubectl, by the same
reservations; so two of them can never admit two targets for one cluster. The rules:

1. Whoever admits a target reads it, takes its reservations, and writes the condition for exactly
   the version that was read. If that version is gone, it begins anew.
2. To take a reservation again that is the target's already is a write too: it gets a new version.
3. A reservation is deleted only in the version that was seen, and only by
   a) whoever made it and finds it as it was made;
   b) whoever took it, lost the other one, and wrote that refusal for the version that was read;
   c) whoever read it and then wrote to its target, which does not need it any more;
   d) anyone who read it and then found its target gone or not in need of it.

So a reservation that an admission rests on is never deleted. By rule 2 the admission has given it
a version of its own: (a) finds another one. (b) and (c) wrote the target after they saw that
version, so the admission's own write, for a target read before, fails. (d) read the target after
the reservation; if that was before the spec of the admission, rule 2 came later.
"""
