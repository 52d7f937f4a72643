"""The world outside: one module per partner, each with a twin in `sandbox/` that speaks the same protocol."""


class GatewayError(Exception):
    """A partner could not be reached, or refused. `permanent`: asking again in the same words cannot help."""

    def __init__(self, message: str, *, permanent: bool):
        super().__init__(message)
        self.permanent = permanent
