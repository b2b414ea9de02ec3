"""
Where a service listens: by region, partition and the variables that botocore reads.
"""

from __future__ import annotations

import re

from lambda_kit import _runtime
from lambda_kit.errors import ConfigurationError

# Start of the region's name, partition, its domain, its domain for IPv4 and IPv6. Source: botocore's partitions.json
_PARTITIONS = (
    ("cn-", "aws-cn", "amazonaws.com.cn", "api.amazonwebservices.com.cn"),
    ("us-gov-", "aws-us-gov", "amazonaws.com", "api.aws"),
    ("us-iso-", "aws-iso", "c2s.ic.gov", "api.aws.ic.gov"),
    ("us-isob-", "aws-iso-b", "sc2s.sgov.gov", "api.aws.scloud"),
    ("eu-isoe-", "aws-iso-e", "cloud.adc-e.uk", "api.cloud-aws.adc-e.uk"),
    ("us-isof-", "aws-iso-f", "csp.hci.ic.gov", "api.aws.hci.ic.gov"),
    ("eusc-", "aws-eusc", "amazonaws.eu", "api.amazonwebservices.eu"),
    ("", "aws", "amazonaws.com", "api.aws"),
)
_VARIABLES = {"ssm": "SSM", "secretsmanager": "SECRETS_MANAGER", "kms": "KMS"}
_REGION = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_URL = re.compile(rf"(https?)://(\[[0-9A-Fa-f:.]+\]|{_LABEL}(?:\.{_LABEL})*)(?::([0-9]{{1,5}}))?(/[!-~]*)?")
_PORTS = {"http": 80, "https": 443}


class Endpoint:
    """
    A place to send requests to.

    Attributes:
        host: Name or address, without port and brackets.
        authority: What the ``Host`` header says.
        target: Path, and query if there is one.
        partition: Of the region: ``"aws"``, ``"aws-cn"``.
    """

    __slots__ = ("authority", "host", "partition", "port", "region", "scheme", "target")

    def __init__(self, scheme: str, authority_host: str, port: int | None, target: str, region: str, partition: str) -> None:
        self.scheme = scheme
        self.host = authority_host.strip("[]")
        self.port = port or _PORTS[scheme]
        self.authority = authority_host if self.port == _PORTS[scheme] else f"{authority_host}:{self.port}"
        self.target = target
        self.region = region
        self.partition = partition


def endpoint(service: str) -> Endpoint:
    """
    Return where *service* is asked: at ``AWS_ENDPOINT_URL*`` where that is set, else in the function's region.

    Raises:
        ConfigurationError: No region, or a variable that makes no sense.
    """
    region = _runtime.region()
    if not region:
        raise ConfigurationError("no region: set AWS_REGION, which Lambda does by itself")
    if not _REGION.fullmatch(region):
        raise ConfigurationError(f"AWS_REGION names no region: {region!r}")
    partition = next(each for each in _PARTITIONS if region.startswith(each[0]))
    fips, dual = _is_on("AWS_USE_FIPS_ENDPOINT"), _is_on("AWS_USE_DUALSTACK_ENDPOINT")
    variable, url = _configured(service)
    if not url:
        return Endpoint("https", _host(service, region, partition, fips=fips, dual=dual), None, "/", region, partition[1])
    if fips or dual:
        # As AWS's own rules for these services have it: the URL says already which endpoint it is.
        raise ConfigurationError(f"{variable} does not go with AWS_USE_{'FIPS' if fips else 'DUALSTACK'}_ENDPOINT: unset one of them")
    return _parsed(variable, url, region, partition[1])


def parsed_url(variable: str, url: str) -> Endpoint:
    """
    Return *url*, which is the value of *variable*, as a place of no region.
    """
    return _parsed(variable, url, "", "")


def _configured(service: str) -> tuple[str, str]:
    if _is_on("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS"):
        return "", ""
    for variable in (f"AWS_ENDPOINT_URL_{_VARIABLES[service]}", "AWS_ENDPOINT_URL"):
        url = _runtime.setting(variable)
        if url:
            return variable, url
    return "", ""


def _host(service: str, region: str, partition: tuple[str, str, str, str], *, fips: bool, dual: bool) -> str:
    """
    Return the host's name. Source: the endpoint rule sets of the three services in botocore
    """
    _, name, plain_domain, dual_domain = partition
    domain = dual_domain if dual else plain_domain
    if service == "secretsmanager" and (name in ("aws", "aws-us-gov") or (name == "aws-cn" and not fips)):
        domain = plain_domain  # it answers over IPv6 too
    # Parameter Store's endpoints in GovCloud are all FIPS endpoints.
    suffix = "-fips" if fips and (dual or (service, name) != ("ssm", "aws-us-gov")) else ""
    return f"{service}{suffix}.{region}.{domain}"


def _parsed(variable: str, url: str, region: str, partition: str) -> Endpoint:
    match = _URL.fullmatch(url)
    port = int(match[3]) if match and match[3] else None
    if match is None or (port is not None and not 0 < port < 65536):
        raise ConfigurationError(f"{variable} is no URL of a host that could be asked")
    return Endpoint(match[1], match[2].lower(), port, match[4] or "/", region, partition)


def _is_on(variable: str) -> bool:
    return (_runtime.setting(variable) or "").lower() == "true"
