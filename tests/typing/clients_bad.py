"""
What the checkers must refuse of clients and roles.
"""

from __future__ import annotations

from lambda_kit import assuming_role, client, resource

client("s3").list_bukkets()  # type: ignore[attr-defined]
client("s3", region="eu-west-1")  # type: ignore[call-overload]
client("sqs").send_message(QueueUrl=1)  # type: ignore[arg-type, call-arg]
resource("dynamodb").Tabel("orders")  # type: ignore[attr-defined]
assuming_role("arn:aws:iam::123456789012:role/reader", "x")  # type: ignore[call-arg]
assuming_role()  # type: ignore[call-arg]
assuming_role("arn:aws:iam::123456789012:role/reader").client("s3").list_bukkets()  # type: ignore[attr-defined]
assuming_role("arn:aws:iam::123456789012:role/reader").table("orders")  # type: ignore[attr-defined]
