"""
Which model fits an event that asks for an answer - HTTP, authorizers, Cognito, AppSync, voice and the like - by its
structure alone. Imports no model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

_PACKAGE = "lambda_kit.events."

# By the start of Cognito's "triggerSource".
_TRIGGERS = {
    "PreSignUp": "_cognito:CognitoPreSignUpEvent",
    "PostConfirmation": "_cognito:CognitoPostConfirmationEvent",
    "PreAuthentication": "_cognito:CognitoPreAuthenticationEvent",
    "PostAuthentication": "_cognito:CognitoPostAuthenticationEvent",
    "DefineAuthChallenge": "_cognito_challenges:CognitoDefineAuthChallengeEvent",
    "CreateAuthChallenge": "_cognito_challenges:CognitoCreateAuthChallengeEvent",
    "VerifyAuthChallengeResponse": "_cognito_challenges:CognitoVerifyAuthChallengeEvent",
    "TokenGeneration": "_cognito_tokens:CognitoPreTokenGenerationEvent",
    # As the first documentation had it.
    "PreTokenGen": "_cognito_tokens:CognitoPreTokenGenerationEvent",
    "UserMigration": "_cognito:CognitoUserMigrationEvent",
    "CustomMessage": "_cognito_messages:CognitoCustomMessageEvent",
    "CustomEmailSender": "_cognito_messages:CognitoCustomEmailSenderEvent",
    "CustomSMSSender": "_cognito_messages:CognitoCustomSmsSenderEvent",
    "InboundFederation": "_cognito:CognitoInboundFederationEvent",
}

# Keys that are together in events of one source only.
_KEYS: tuple[tuple[frozenset[str], str], ...] = tuple(
    (frozenset(keys.split()), model)
    for keys, model in (
        ("datasetName identityPoolId", "_cognito:CognitoSyncEvent"),
        ("actionGroup function", "_bedrock_agents:BedrockAgentFunctionEvent"),
        ("actionGroup apiPath", "_bedrock_agents:BedrockAgentOpenApiEvent"),
        ("currentIntent bot", "_lex:LexV1Event"),
        ("sessionState bot", "_lex:LexV2Event"),
        ("sessionState interpretations", "_lex:LexV2Event"),
        ("InvocationMetadata Items", "_connect:ConnectOutboundCampaignEvent"),
        ("protocolData protocols", "_iot:IotAuthorizerEvent"),
        ("protocolData signatureVerified", "_iot:IotAuthorizerEvent"),
        ("templateArn certificateId", "_iot:IotPreprovisioningEvent"),
        ("templateArn claimCertificateId", "_iot:IotPreprovisioningEvent"),
        ("serialNumber clickType", "_iot:IotButtonEvent"),
        ("deviceEvent deviceInfo", "_iot:IotOneClickEvent"),
        ("deviceEvent placementInfo", "_iot:IotOneClickEvent"),
        ("username serverId", "_transfer:TransferAuthorizerEvent"),
        ("token serviceMetadata", "_transfer:TransferWorkflowEvent"),
        ("connection-id endpoint-id", "_client_vpn:ClientVpnConnectionEvent"),
        ("envelope messageId flowDirection", "_workmail:WorkMailEvent"),
        ("envelope messageId summaryVersion", "_workmail:WorkMailEvent"),
        ("labelingJobArn dataObject", "_ground_truth:GroundTruthPreEvent"),
        ("labelingJobArn payload", "_ground_truth:GroundTruthPostEvent"),
        ("widgetContext", "_dashboard_widget:CloudWatchWidgetEvent"),
    )
)


def detect_request(raw: object) -> str | None:
    """
    Return the model of *raw* as ``"module:Class"``; ``None`` where it is of no source of these.
    """
    if isinstance(raw, Mapping):
        found = next(filter(None, (rule(raw) for rule in _RULES)), None)
    elif isinstance(raw, list) and raw and all(isinstance(item, Mapping) and _field(item) for item in raw):
        found = "_appsync:AppSyncBatchEvent"
    else:
        found = None
    return None if found is None else _PACKAGE + found


def _authorizer(raw: Mapping[str, Any]) -> str | None:
    context = raw.get("requestContext")
    if "routeArn" in raw and "authorizationToken" not in raw:
        return "_api_gateway_authorizers:ApiGatewayHttpAuthorizerEvent"
    if "methodArn" in raw:
        if not isinstance(context, Mapping):
            return "_api_gateway_authorizers:ApiGatewayTokenAuthorizerEvent" if "authorizationToken" in raw else None
        name = "WebSocket" if _is_connection(context) else "Request"
        return f"_api_gateway_authorizers:ApiGateway{name}AuthorizerEvent"
    if "authorizationToken" in raw and isinstance(context, Mapping):
        return "_appsync:AppSyncAuthorizerEvent"
    return None


def _http(raw: Mapping[str, Any]) -> str | None:
    context = raw.get("requestContext")
    if not isinstance(context, Mapping):
        context = {}
    if isinstance(context.get("http"), Mapping):
        # Nothing else tells it from an HTTP API's event.
        is_url = ".lambda-url." in str(context.get("domainName"))
        return "_function_url:FunctionUrlEvent" if is_url else "_api_gateway_http:ApiGatewayHttpEvent"
    if _is_connection(context):
        return "_api_gateway_websocket:ApiGatewayWebSocketEvent"
    # Events made by hand often lack one of them.
    if "httpMethod" in raw and (context or not raw.keys().isdisjoint(("path", "resource"))):
        if "elb" in context:
            return "_alb:AlbMultiValueEvent" if raw.get("multiValueHeaders") is not None else "_alb:AlbEvent"
        return "_api_gateway_rest:ApiGatewayHttpV1Event" if raw.get("version") == "1.0" else "_api_gateway_rest:ApiGatewayRestEvent"
    return None


def _is_connection(context: Mapping[str, Any]) -> bool:
    return bool(context.get("connectionId")) and bool(context.get("eventType") or context.get("routeKey"))


def _lattice(raw: Mapping[str, Any]) -> str | None:
    if "method" not in raw:
        return None
    if "raw_path" in raw:
        return "_vpc_lattice:VpcLatticeV1Event"
    context = raw.get("requestContext")
    is_lattice = "headers" in raw or (isinstance(context, Mapping) and "targetGroupArn" in context)
    return "_vpc_lattice:VpcLatticeV2Event" if "path" in raw and is_lattice else None


def _cloudfront(raw: Mapping[str, Any]) -> str | None:
    match raw:
        case {"Records": [{"cf": {}}, *_]}:
            return "_cloudfront:CloudFrontEvent"
    return None


def _cognito(raw: Mapping[str, Any]) -> str | None:
    if not ("triggerSource" in raw and "request" in raw):
        return None
    model = _TRIGGERS.get(str(raw["triggerSource"]).partition("_")[0], "_cognito:CognitoOtherEvent")
    # Only version 1 is different: later ones add.
    is_later = model.endswith(":CognitoPreTokenGenerationEvent") and str(raw.get("version")) in {"2", "3"}
    return "_cognito_tokens:CognitoPreTokenGenerationV2Event" if is_later else model


def _appsync(raw: Mapping[str, Any]) -> str | None:
    match raw:
        case {"info": {"channel": _, "operation": _}}:
            return "_appsync:AppSyncEventsEvent"
    return "_appsync:AppSyncResolverEvent" if _field(raw) else None


def _field(raw: Mapping[str, Any]) -> bool:
    match raw:
        case {"info": {"fieldName": _}} | {"typeName": _, "fieldName": _}:
            return True
        # Mapping templates send what they like; these are the documentation's.
        case {"arguments": _, "fieldName": _} | {"arguments": _, "field": _} | {"arguments": _, "identity": _}:
            return True
    return False


def _voice(raw: Mapping[str, Any]) -> str | None:
    match raw:
        case {"request": {"type": str()}, "session": _} | {"request": {"type": str()}, "context": _}:
            return "_alexa:AlexaSkillEvent"
        case {"directive": {"header": _}}:
            return "_alexa:AlexaSmartHomeEvent"
        case {"Details": {"ContactData": _}}:
            return "_connect:ConnectContactFlowEvent"
    return None


def _others(raw: Mapping[str, Any]) -> str | None:
    if isinstance(raw.get("eventType"), str) and str(raw["eventType"]).endswith("_EVENT") and "eventId" in raw:
        return "_iot:IotRegistryEvent"
    found = next((model for keys, model in _KEYS if keys <= raw.keys()), None)
    # A dashboard asks for a widget's documentation with nothing else.
    return "_dashboard_widget:CloudWatchWidgetEvent" if found is None and raw.get("describe") is True else found


_RULES: tuple[Callable[[Mapping[str, Any]], str | None], ...] = (
    _authorizer,
    _http,
    _lattice,
    _cloudfront,
    _cognito,
    _appsync,
    _voice,
    _others,
)
