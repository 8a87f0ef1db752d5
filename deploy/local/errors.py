"""The error of a start that fails."""


class StartError(Exception):
    """A process cannot be started; the message is one sentence for the user."""
