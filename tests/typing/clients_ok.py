"""
Clients, resources and those of another role are boto3's own to a checker, so that its stubs tell what they do.
"""

from __future__ import annotations

from typing import assert_type

from mypy_boto3_dynamodb.service_resource import DynamoDBServiceResource, Table
from mypy_boto3_s3.client import S3Client
from mypy_boto3_sqs.client import SQSClient

from lambda_kit import assuming_role, client, preload, resource

assert_type(client("s3"), S3Client)
assert_type(client("sqs", "eu-west-1"), SQSClient)
assert_type(client("s3", endpoint_url="http://127.0.0.1:9").list_buckets()["Buckets"][0].get("Name"), str | None)
assert_type(resource("dynamodb"), DynamoDBServiceResource)
table: Table = resource("dynamodb").Table("orders")

reader = assuming_role("arn:aws:iam::123456789012:role/reader", external_id="x", session_name="me", duration_s=900)
assert_type(reader.client("s3"), S3Client)
assert_type(reader.client("sqs", region_name="eu-west-1"), SQSClient)
assert_type(reader.resource("dynamodb"), DynamoDBServiceResource)
preload(client("s3"), reader.client("sqs"))
