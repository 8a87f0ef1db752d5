"""What can go wrong before or while something is started, said in one line."""


class StartError(Exception):
    """Something cannot be started; the message is one sentence for the person who started it."""
