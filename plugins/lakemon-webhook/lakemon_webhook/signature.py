"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 over id, time and body. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence

from lakemon_core.domain.errors import DeliveryError

PREFIX = "whsec_"


def signed_headers(key: str, seconds: int, body: bytes, secrets: Sequence[str]) -> dict[str, str]:
    """Returns the three headers by which a receiver knows sender, age and repetition of a message.

    Args:
        key: id of the message, the same in every attempt.
        seconds: Unix time of this attempt.
        body: exactly as it is sent.
        secrets: `whsec_…` or plain base64; while one is replaced by another, both sign.

    Raises:
        DeliveryError: LM554 for a secret that is none.
    """
    signed = b".".join((key.encode(), str(seconds).encode(), body))
    digests = [hmac.new(_key_of(secret), signed, hashlib.sha256).digest() for secret in secrets]
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
    return {"webhook-id": key, "webhook-timestamp": str(seconds), "webhook-signature": signatures}


def _key_of(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise DeliveryError(
            "LM554",
            "the secret that signs webhooks is not 24 to 64 bytes in base64;",
            cure="make one with `echo whsec_$(openssl rand -base64 32)`.",
        )
    return key
