"""How a target comes to hold its name and its URL alone, for the server and the controller both.

The server admits what it registers, the controller what was written with kubectl, by the same
reservations; so two of them can never admit two targets for one cluster.
"""
