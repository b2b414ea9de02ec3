"""
A small transport of the kit's own: signed HTTPS to SSM, Secrets Manager and KMS from the standard library, without an SDK.

It reads one parameter and one secret for a fraction of what importing boto3 costs. Hooks on botocore do not see it.
"""

from __future__ import annotations

from lambda_kit._transport._choice import usable as usable
from lambda_kit._transport._lean import Lean as Lean
