"""
Calls of the kit's boto3 clients are spans with what X-Ray wants to know of them.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, EndpointConnectionError, ParamValidationError
from botocore.stub import Stubber

from lambda_kit import _observe, client, tracing
from tests.aws_server import BROKEN, DENIED, REGION, THROTTLED, Fault
from tests.tracing.conftest import ROOT, SEGMENT

if TYPE_CHECKING:
    from tests.aws_server import AwsServer
    from tests.tracing.conftest import Daemon, Invoke

pytestmark = pytest.mark.usefixtures("aws")


def built(service: str, **options: Any) -> Any:
    """
    Return a real client that was made known as the kit makes its own known.
    """
    make: Any = boto3.client
    made = make(service, config=Config(retries={"total_max_attempts": 1}), **options)
    _observe.client_built(made)
    return made


def test_call_is_a_span(traced: Daemon, aws: AwsServer) -> None:
    """
    A call is named like the service, with operation, region, request id and status, below the span it was made in.
    """
    sqs = built("sqs")
    url = aws.boto3("sqs").create_queue(QueueName="orders")["QueueUrl"]

    with tracing.span("outer"):
        answer = sqs.send_message(QueueUrl=url, MessageBody="secret")

    spans = traced.named()
    call = spans["sqs"]
    assert spans["outer"]["id"] == call["parent_id"]
    assert "aws" == call["namespace"]
    assert {
        "operation": "SendMessage",
        "region": REGION,
        "queue_url": url,
        "request_id": answer["ResponseMetadata"]["RequestId"],
        "retries": 0,
    } == call["aws"]
    assert {"response": {"status": 200}} == call["http"]
    assert "secret" not in str(spans)


def test_trace_goes_on_with_the_request(traced: Daemon, invoke: Invoke) -> None:
    """
    The request carries the trace header with the call as parent, and what Lambda's loop detection put there.
    """
    invoke(more=";Lineage=1:a87bd80c:0")
    headers: dict[str, str] = {}
    ssm = built("ssm")
    ssm.meta.events.register("before-send", lambda request, **_: headers.update(request.headers))

    ssm.describe_parameters()

    call = traced.document()
    assert f"Root={ROOT};Parent={call['id']};Sampled=1;Lineage=1:a87bd80c:0" == headers["X-Amzn-Trace-Id"].decode()  # type: ignore[attr-defined]  # botocore encodes headers


def test_own_header_comes_before_botocores(traced: Daemon, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where botocore passes the function's own header on, the call's replaces it.
    """
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "orders")
    headers: dict[str, bytes] = {}
    ssm = built("ssm")
    ssm.meta.events.register("before-send", lambda request, **_: headers.update(request.headers))

    ssm.describe_parameters()

    assert traced.document()["id"] in headers["X-Amzn-Trace-Id"].decode()


@pytest.mark.parametrize(
    ("fault", "flags"),
    [
        (DENIED, {"error"}),
        (BROKEN, {"fault"}),
        (THROTTLED, {"error", "throttle"}),
        (Fault(429, "TooManyRequestsException"), {"error", "throttle"}),
        (Fault(400, "RequestLimitExceeded"), {"error", "throttle"}),
    ],
    ids=["denied", "broken", "throttled", "too many", "limit"],
)
def test_error_answer(traced: Daemon, aws: AwsServer, fault: Fault, flags: set[str]) -> None:
    """
    An error of AWS is the client's, the server's or throttling, with its code and message as the cause.
    """
    aws.faults.append(fault)

    with pytest.raises(ClientError):
        built("ssm").get_parameter(Name="/x")

    call = traced.document()
    (cause,) = call["cause"]["exceptions"]
    assert flags == {"error", "fault", "throttle"} & set(call)
    assert (fault.code, True) == (cause["type"], cause["remote"])
    assert {"response": {"status": fault.status}} == call["http"]


def test_retries_are_counted(traced: Daemon, aws: AwsServer) -> None:
    """
    A call that AWS answered at the second attempt is one span.
    """
    make: Any = boto3.client
    ssm = make("ssm", config=Config(retries={"mode": "standard", "total_max_attempts": 2}))
    _observe.client_built(ssm)
    aws.faults.append(THROTTLED)

    ssm.describe_parameters()

    call = traced.document()
    assert (1, {"response": {"status": 200}}) == (call["aws"]["retries"], call["http"])
    assert "error" not in call


def test_unreachable_endpoint(traced: Daemon) -> None:
    """
    A call without an answer ends with the exception as its cause.
    """
    with pytest.raises(EndpointConnectionError):
        built("ssm", endpoint_url="http://127.0.0.1:1").get_parameter(Name="/x")

    call = traced.document()
    assert call["fault"] is True
    assert "EndpointConnectionError" == call["cause"]["exceptions"][0]["type"]


def test_call_that_is_not_made(traced: Daemon) -> None:
    """
    Parameters that botocore refuses and answers that a Stubber gives make no span.
    """
    ssm = built("ssm")

    with pytest.raises(ParamValidationError):
        ssm.get_parameter(Name=3)
    with Stubber(ssm) as stubber:
        stubber.add_response("get_parameter", {})
        ssm.get_parameter(Name="/x")

    assert [] == traced.documents()


def test_resource_is_traced_by_its_client(traced: Daemon) -> None:
    """
    A resource's calls are those of the client inside it.
    """
    make: Any = boto3.resource
    dynamodb = make("dynamodb")
    _observe.client_built(dynamodb)

    with pytest.raises(ClientError):
        dynamodb.Table("orders").get_item(Key={"id": 1})

    call = traced.document()
    assert ("dynamodb", "GetItem", "orders") == (call["name"], call["aws"]["operation"], call["aws"]["table_name"])


def test_threads_share_a_client(traced: Daemon) -> None:
    """
    Calls that run at once in threads are as many spans, each with its own request id.
    """
    ssm = built("ssm")

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ssm.describe_parameters()["ResponseMetadata"]["RequestId"], range(8)))

    calls = traced.documents()
    assert sorted(answers) == sorted(call["aws"]["request_id"] for call in calls)
    assert {SEGMENT} == {call["parent_id"] for call in calls}


def test_unsampled_call_sends_nothing(traced: Daemon, invoke: Invoke) -> None:
    """
    Calls of an invocation that is not sampled are not traced, answered or not.
    """
    ssm = built("ssm")
    invoke(sampled="0")

    ssm.describe_parameters()
    with pytest.raises(EndpointConnectionError):
        built("ssm", endpoint_url="http://127.0.0.1:1").get_parameter(Name="/x")

    assert [] == traced.documents()


def test_clients_of_the_kit_are_traced(daemon: Daemon, invoke: Invoke) -> None:
    """
    What ``client`` gives is traced, built before tracing was turned on or after.
    """
    early, late = client("ssm"), client("sqs")
    early.describe_parameters()
    tracing.instrument("xray")
    invoke()

    early.describe_parameters()
    late.list_queues()

    assert ["ssm", "sqs"] == [call["name"] for call in daemon.documents()]


def test_instrumenting_twice_traces_once(traced: Daemon) -> None:
    """
    Turning tracing on again gives no second span of a call.
    """
    tracing.instrument("xray")
    ssm = built("ssm")
    _observe.client_built(ssm)

    ssm.describe_parameters()

    assert 1 == len(traced.documents())
