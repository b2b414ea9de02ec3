"""
Services are asked where botocore's own rules say, in every region.
"""

from __future__ import annotations

import pytest
from botocore.endpoint_provider import EndpointProvider
from botocore.loaders import Loader

from lambda_kit._transport import _endpoints
from lambda_kit.errors import ConfigurationError

_LOADER = Loader()
_PARTITIONS = _LOADER.load_data("partitions")
_REGIONS = [(region, each["id"]) for each in _PARTITIONS["partitions"] for region in each["regions"] if not region.endswith("-global")]
_RULES = {service: _LOADER.load_service_model(service, "endpoint-rule-set-1") for service in ("ssm", "secretsmanager", "kms")}


@pytest.mark.parametrize("dual", [False, True], ids=["IPv4", "dual-stack"])
@pytest.mark.parametrize("fips", [False, True], ids=["standard", "FIPS"])
@pytest.mark.parametrize("service", list(_RULES))
def test_hosts_are_those_of_botocores_rules(monkeypatch: pytest.MonkeyPatch, service: str, fips: bool, dual: bool) -> None:
    """
    All regions of all partitions that botocore knows.
    """
    rules = EndpointProvider(_RULES[service], _PARTITIONS)
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", str(fips))
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", str(dual).lower())
    assert len(_REGIONS) > 40

    for region, partition in _REGIONS:
        monkeypatch.setenv("AWS_REGION", region)
        endpoint = _endpoints.endpoint(service)
        wanted = rules.resolve_endpoint(Region=region, UseFIPS=fips, UseDualStack=dual).url
        assert (wanted, partition) == (f"{endpoint.scheme}://{endpoint.host}", endpoint.partition)
        assert (443, "/", endpoint.host, region) == (endpoint.port, endpoint.target, endpoint.authority, endpoint.region)


def test_a_region_nobody_knows_is_in_the_main_partition(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    New regions work before the kit hears of them, and the default region does where there is no other.
    """
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "mx-south-9")

    assert "kms.mx-south-9.amazonaws.com" == _endpoints.endpoint("kms").host


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("http://127.0.0.1:4566", ("http", "127.0.0.1", 4566, "127.0.0.1:4566", "/")),
        ("http://localhost", ("http", "localhost", 80, "localhost", "/")),
        ("https://VPCE-1.ssm.eu-west-1.vpce.amazonaws.com", ("https", "vpce-1.ssm.eu-west-1.vpce.amazonaws.com", 443, None, "/")),
        ("https://localhost:443/base?x=1", ("https", "localhost", 443, "localhost", "/base?x=1")),
        ("http://[::1]:8080/", ("http", "::1", 8080, "[::1]:8080", "/")),
        ("http://aws_stub:80", ("http", "aws_stub", 80, "aws_stub", "/")),
    ],
)
def test_a_configured_url_is_taken(monkeypatch: pytest.MonkeyPatch, url: str, wanted: tuple[str, str, int, str | None, str]) -> None:
    """
    Scheme, host, port and path are those of AWS_ENDPOINT_URL.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    endpoint = _endpoints.endpoint("ssm")

    scheme, host, port, authority, target = wanted
    assert (scheme, host, port) == (endpoint.scheme, endpoint.host, endpoint.port)
    assert (authority or host, target) == (endpoint.authority, endpoint.target)
    assert ("eu-west-1", "aws") == (endpoint.region, endpoint.partition)


@pytest.mark.parametrize(("service", "variable"), [("ssm", "SSM"), ("secretsmanager", "SECRETS_MANAGER"), ("kms", "KMS")])
def test_a_services_own_url_comes_first(monkeypatch: pytest.MonkeyPatch, service: str, variable: str) -> None:
    """
    AWS_ENDPOINT_URL_<SERVICE> before AWS_ENDPOINT_URL, and neither where they are to be ignored.
    """
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv(f"AWS_ENDPOINT_URL_{variable}", "http://own")

    assert "own" == _endpoints.endpoint(service).host
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert f"{service}.eu-west-1.amazonaws.com" == _endpoints.endpoint(service).host


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"AWS_REGION": ""}, "no region: set AWS_REGION"),
        ({"AWS_REGION": "eu west"}, "AWS_REGION names no region: 'eu west'"),
        ({"AWS_REGION": "x.evil.com/"}, "AWS_REGION names no region"),
        ({"AWS_ENDPOINT_URL": "localhost:4566"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL": "ftp://localhost"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL_SSM": "http://user:word@host"}, "AWS_ENDPOINT_URL_SSM is no URL"),
        ({"AWS_ENDPOINT_URL": "http://host:0"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL": "http://host:70000"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL": "http://a..b"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL": f"http://{'a' * 64}.b"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL": "http://host/a b"}, "AWS_ENDPOINT_URL is no URL"),
        ({"AWS_ENDPOINT_URL": "http://h", "AWS_USE_FIPS_ENDPOINT": "true"}, "does not go with AWS_USE_FIPS_ENDPOINT"),
        ({"AWS_ENDPOINT_URL": "http://h", "AWS_USE_DUALSTACK_ENDPOINT": "true"}, "does not go with AWS_USE_DUALSTACK_ENDPOINT"),
    ],
)
def test_what_makes_no_sense_is_refused(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], complaint: str) -> None:
    """
    The error names the variable to change, and not a URL's value, which may hold a password.
    """
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(ConfigurationError, match=complaint) as raised:
        _endpoints.endpoint("ssm")
    assert "word" not in str(raised.value)
