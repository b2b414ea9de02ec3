"""
Spans of boto3 calls, by the events that every botocore client sends. Knows botocore's events, imports none of it.
"""

from __future__ import annotations

from lambda_kit.tracing import _spans

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Parameters that say which thing a call is about, under the names that X-Ray knows them by.
_RESOURCES = {
    "Bucket": "bucket_name",
    "FunctionName": "function_name",
    "QueueUrl": "queue_url",
    "StateMachineArn": "state_machine_arn",
    "StreamName": "stream_name",
    "TableName": "table_name",
    "TopicArn": "topic_arn",
}
# Keys of botocore's request context, a dict that belongs to one call.
_SPAN = "lambda_kit_span"
_FACTS = "lambda_kit_span_facts"


def listen(built: Any) -> None:
    """
    Trace the calls of a boto3 client, or of the client inside a resource.
    """
    client = getattr(built.meta, "client", built)
    events = client.meta.events
    for event, handler in (
        ("before-parameter-build", _remember),
        ("before-call", _open),
        ("after-call", _close),
        ("after-call-error", _fail),
    ):
        # Last, so that a handler that answers in AWS's place (a Stubber) leaves no span open.
        events.register_last(event, handler, unique_id=f"lambda-kit-{event}")


def _remember(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    """
    Keep what names the resource; later events see the encoded request only.
    """
    context[_FACTS] = {fact: params[name] for name, fact in _RESOURCES.items() if isinstance(params.get(name), str)}


def _open(model: Any, params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    facts = context.pop(_FACTS, {})
    opened = _spans.begin_leaf(model.service_model.endpoint_prefix, "aws")
    if opened is None:
        return
    opened.describe_call({"operation": model.name, "region": context.get("client_region") or "", **facts})
    params["headers"].update(opened.headers())
    context[_SPAN] = opened


def _close(http_response: Any, parsed: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    opened: _spans.OpenSpan | None = context.pop(_SPAN, None)
    if opened is None:
        return
    metadata = parsed.get("ResponseMetadata", {})
    failure = parsed.get("Error")
    opened.describe_answer(
        http_response.status_code,
        metadata.get("RequestId", ""),
        metadata.get("RetryAttempts", 0),
        None if not failure else (failure.get("Code", ""), failure.get("Message", "")),
    )
    opened.end()


def _fail(exception: BaseException, context: dict[str, Any], **_: object) -> None:
    opened: _spans.OpenSpan | None = context.pop(_SPAN, None)
    if opened is not None:
        opened.end(exception)
