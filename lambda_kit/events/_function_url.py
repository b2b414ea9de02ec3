"""
Requests that come through a function's own URL.

Source: https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

from typing import ClassVar

from lambda_kit.events._api_gateway_http import ApiGatewayHttpEvent


class FunctionUrlEvent(ApiGatewayHttpEvent):
    """
    A request to a function URL, in the form of an HTTP API's payload format 2.0.

    ``request_context.account_id`` is ``"anonymous"`` when the URL asks for no authentication.
    """

    source_name: ClassVar[str] = "function_url"
