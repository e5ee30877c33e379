"""The error that a user can mend: one sentence with the value, the rule and the way out."""

__all__ = ["UserError"]


class UserError(ValueError):
    """Bad input. A tool prints its message as one line and exits with code 2; a library caller gets a ``ValueError``."""
