"""
Everything that aws.toml can say is there afterwards; what it cannot say is told.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from lambda_kit._local._aws import EmbeddedAws
from lambda_kit._local._aws_seed import check_seed, plant
from lambda_kit.errors import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

SEED = """
[parameters]
"/orders/price" = "19.90"
"/orders/regions" = ["eu", "us"]
"/orders/key" = { value = "open sesame", type = "SecureString" }

[secrets]
"api-key" = "plain text"
"orders/db" = { username = "orders", port = 5432, since = 2026-01-02 }
"certificate" = { base64 = "AAEC" }

[tables.orders]
key = { customer = "S", placed = "N" }
items = [{ customer = "c1", placed = 1, total = 1.5, paid = true, lines = ["a", { sku = "b" }] }]

[tables.plain]
key = { id = "S" }

[queues]
orders = { VisibilityTimeout = 7, SqsManagedSseEnabled = true }
"orders.fifo" = {}

[buckets.uploads]
"a/note.txt" = "text"
"a/photo.jpg" = { file = "photo.jpg" }
"""


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedAws]:
    folder = tmp_path_factory.mktemp("seed")
    (folder / "aws.toml").write_text(SEED)
    (folder / "photo.jpg").write_bytes(b"\xff\xd8")
    with EmbeddedAws.start(folder / "aws.toml", region="eu-west-1") as running:
        yield running


def test_parameters(aws: EmbeddedAws) -> None:
    """
    Text, a list, and an encrypted value.
    """
    found = aws.client("ssm").get_parameters_by_path(Path="/orders", WithDecryption=True)["Parameters"]

    assert {
        "/orders/price": ("String", "19.90"),
        "/orders/regions": ("StringList", "eu,us"),
        "/orders/key": ("SecureString", "open sesame"),
    } == {one["Name"]: (one["Type"], one["Value"]) for one in found}


def test_secrets(aws: EmbeddedAws) -> None:
    """
    Text, a table as JSON with its dates as texts, and bytes.
    """
    client = aws.client("secretsmanager")

    assert "plain text" == client.get_secret_value(SecretId="api-key")["SecretString"]
    assert '{"username": "orders", "port": 5432, "since": "2026-01-02"}' == client.get_secret_value(SecretId="orders/db")["SecretString"]
    assert b"\x00\x01\x02" == client.get_secret_value(SecretId="certificate")["SecretBinary"]


def test_tables(aws: EmbeddedAws) -> None:
    """
    Keys in their order, items with their types.
    """
    client = aws.client("dynamodb")

    keys = client.describe_table(TableName="orders")["Table"]["KeySchema"]
    assert [("customer", "HASH"), ("placed", "RANGE")] == [(key["AttributeName"], key["KeyType"]) for key in keys]
    item = client.get_item(TableName="orders", Key={"customer": {"S": "c1"}, "placed": {"N": "1"}})["Item"]
    assert {"N": "1.5"} == item["total"]
    assert {"BOOL": True} == item["paid"]
    assert {"L": [{"S": "a"}, {"M": {"sku": {"S": "b"}}}]} == item["lines"]


def test_queues(aws: EmbeddedAws) -> None:
    """
    Attributes are SQS's own; a name that ends in .fifo makes a FIFO queue.
    """
    client = aws.client("sqs")

    def attributes(name: str) -> dict[str, str]:
        url = client.get_queue_url(QueueName=name)["QueueUrl"]
        found: dict[str, str] = client.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        return found

    assert "7" == attributes("orders")["VisibilityTimeout"]
    assert "true" == attributes("orders")["SqsManagedSseEnabled"]
    assert "true" == attributes("orders.fifo")["FifoQueue"]


def test_buckets(aws: EmbeddedAws) -> None:
    """
    Text, and a file beside aws.toml.
    """
    client = aws.client("s3")

    assert b"text" == client.get_object(Bucket="uploads", Key="a/note.txt")["Body"].read()
    assert b"\xff\xd8" == client.get_object(Bucket="uploads", Key="a/photo.jpg")["Body"].read()


TABLE = r"""\[tables\] 't' is \{ key = \{ name = "S"\|"N"\|"B" \}, items = \[\.\.\.\] \}$"""
BUCKET = r"""\[buckets\] 'bbb' is \{ "a/note\.txt" = "text", """


class AnyClient:
    """
    Take every call and do nothing.
    """

    class meta:  # noqa: N801  # botocore's name
        region_name = "us-east-1"

    def __getattr__(self, name: str) -> Any:
        return lambda **_: None


@pytest.mark.parametrize(
    ("seed", "told"),
    [
        ({"parameter": {}}, "there are parameters, secrets, tables, queues, buckets"),
        ({"queues": ["orders"]}, r"\[queues\] holds names"),
        ({"parameters": {"/a": 1}}, r"\[parameters\] '/a' is text"),
        ({"secrets": {"s": {"base64": "!"}}}, r"\[secrets\] 's' does not read"),
        ({"parameters": {"/a": [1]}}, r"\[parameters\] '/a' is text, a list of texts, or \{ value"),
        ({"tables": {"t": {}}}, TABLE),
        ({"tables": {"t": "id"}}, TABLE),
        ({"tables": {"t": {"key": "id"}}}, TABLE),
        ({"tables": {"t": {"key": {}}}}, TABLE),
        ({"tables": {"t": {"key": {"id": "X"}}}}, TABLE),
        ({"tables": {"t": {"key": {"id": "S"}, "itmes": []}}}, TABLE),
        ({"tables": {"t": {"key": {"id": "S"}, "items": {}}}}, TABLE),
        ({"tables": {"t": {"key": {"id": "S"}, "items": ["a"]}}}, TABLE),
        ({"queues": {"q": ""}}, r"\[queues\] 'q' is \{\} or \{ VisibilityTimeout = 30 \}"),
        ({"buckets": {"bbb": True}}, BUCKET),
        ({"buckets": {"bbb": {"k": 1}}}, BUCKET),
        ({"buckets": {"bbb": {"k": {"path": "a"}}}}, BUCKET),
        ({"buckets": {"bbb": {"k": {"file": "missing"}}}}, r"\[buckets\] 'bbb' does not read"),
    ],
    ids=[
        "section",
        "no table",
        "parameter",
        "binary",
        "list",
        "no key",
        "table",
        "key",
        "empty key",
        "kind of key",
        "misspelt items",
        "items",
        "item",
        "queue",
        "bucket",
        "object",
        "no file",
        "file",
    ],
)
def test_what_cannot_be_planted_is_told(seed: dict[str, Any], told: str, tmp_path: Path) -> None:
    """
    Section and name are named.
    """
    with pytest.raises(ConfigurationError, match=told) as caught:
        plant(check_seed(seed), client=lambda _: AnyClient(), folder=tmp_path)
    assert "Error" not in str(caught.value)


def test_what_aws_refuses_is_told(aws: EmbeddedAws) -> None:
    """
    The error has AWS's own words.
    """
    with pytest.raises(ConfigurationError, match=r"\[buckets\] 'b' was refused: .*not valid"):
        plant({"buckets": {"b": {}}}, client=aws.client, folder=Path())
