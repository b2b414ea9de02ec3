"""
What the checkers must refuse of parameters, secrets, variables and clients.
"""

from __future__ import annotations

from decimal import Decimal

from lambda_kit import client, env, get_parameter, get_secret, parameter, secret

wrong_value: int = parameter("/p", convert=Decimal)()  # type: ignore[assignment]
wrong_text: int = secret("s")()  # type: ignore[assignment]
wrong_variable: int = env("X", default=None, convert=int)()  # type: ignore[assignment]
parameter("/p", convert=3)  # type: ignore[call-overload]
parameter("/p", model=Decimal)  # type: ignore[call-overload]
parameter("/p", max_age=300)  # type: ignore[call-overload]
parameter("/p", int)  # type: ignore[call-overload]
parameter(3)  # type: ignore[call-overload]
secret("s", decrypt=True)  # type: ignore[call-overload]
env("X", int)  # type: ignore[call-overload]
get_parameter("/p", key="member")  # type: ignore[call-overload]
get_secret("s", version=3)  # type: ignore[call-overload]
parameter("/p").value  # type: ignore[attr-defined]
parameter("/p").version = "3"  # type: ignore[misc]
client("s3").get_objekt()  # type: ignore[attr-defined]
client("sqs", region="eu-west-1")  # type: ignore[call-overload]
