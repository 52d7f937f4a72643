"""What an e-mail is known by once the shop has forgotten it (PRV-3, PRV-4)."""

import hashlib
import hmac

import config


def mark_of(email: str) -> str:
    """A digest of `email`, as plain_email has it: without SECRET_KEY nobody tries e-mails against it."""
    return hmac.new(config.secret_key().encode(), f"erased:{email}".encode(), hashlib.sha256).hexdigest()
