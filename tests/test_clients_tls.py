"""
Amazon's roots first, over real TLS: what is trusted, when the full bundle is asked, and who is left alone.
"""

from __future__ import annotations

import io
import logging
import warnings
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import botocore.httpsession
import pytest
from botocore.config import Config
from botocore.exceptions import SSLError

from lambda_kit import _clients, _roots
from lambda_kit._clients import _trust
from tests.certificates import Authority
from tests.tls_server import ConnectProxy, TlsServer, serving

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("aws_environ", "bundle")

client: Any = _clients.client
resource: Any = _clients.resource

HOST = "ssm.eu-west-1.amazonaws.com"
ONCE = Config(retries={"mode": "standard", "total_max_attempts": 1})


@pytest.fixture(scope="module")
def amazon() -> Authority:
    """
    The root that the bundle labels as Amazon's.
    """
    return Authority.make("Amazon")


@pytest.fixture(scope="module")
def other() -> Authority:
    """
    A root that stands in the bundle among the others.
    """
    return Authority.make("Other")


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, amazon: Authority, other: Authority) -> Path:
    """
    The installed bundle, as far as botocore knows, and no endpoint of the environment's.
    """
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    for name in ("REQUESTS_CA_BUNDLE", "LAMBDA_KIT_FULL_CA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_REQUEST_CHECKSUM_CALCULATION", "when_required")
    path = tmp_path / "cacert.pem"
    path.write_text(other.labelled("Other Root") + amazon.labelled("Amazon Root CA 1"))
    monkeypatch.setattr(botocore.httpsession, "where", lambda: str(path))
    return path


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[dict[str, ssl.SSLContext]], TlsServer]]:
    """
    Start a server for contexts by host; it ends with the test.
    """
    running = []

    def start(contexts: dict[str, ssl.SSLContext]) -> TlsServer:
        block = serving(monkeypatch, contexts)
        running.append(block)
        return block.__enter__()

    yield start
    for block in running:
        block.__exit__(None, None, None)


def trusted(made: Any) -> list[str]:
    """
    Return the roots that a client's connections trust.
    """
    context = made._endpoint.http_session._manager.connection_pool_kw["ssl_context"]
    return sorted(found["subject"][0][0][1] for found in context.get_ca_certs())


def is_narrowed(made: Any) -> bool:
    """
    Tell whether a client tries Amazon's roots first.
    """
    return type(made._endpoint.http_session) is not botocore.httpsession.URLLib3Session


def ask(made: Any) -> None:
    """
    Make one call.
    """
    made.get_parameter(Name="/p")


def test_amazons_host_needs_amazons_roots_only(serve: Any, tmp_path: Path, amazon: Authority) -> None:
    """
    No other authority is loaded, for one connection or many.
    """
    server = serve({HOST: amazon.server_context(tmp_path, HOST)})
    ssm = client("ssm")
    for _ in range(2):
        ask(ssm)
        ssm.close()

    assert [(HOST, True), (HOST, True)] == server.handshakes(2)
    assert ["Amazon"] == trusted(ssm)


def test_a_resources_client_does_alike(amazon: Authority) -> None:
    """
    A resource calls through a client, and that one is meant.
    """
    assert is_narrowed(resource("dynamodb").meta.client)


def test_another_root_of_the_bundle_is_asked_once(serve: Any, tmp_path: Path, other: Authority) -> None:
    """
    The first connection is refused, the second trusts the bundle, and no later one is tried with Amazon's roots.
    """
    server = serve({HOST: other.server_context(tmp_path, HOST)})
    ssm = client("ssm")
    ask(ssm)
    ask(ssm)
    later = client("ssm", config=ONCE)
    ask(later)

    assert [(HOST, False), (HOST, True), (HOST, True)] == server.handshakes(3)
    assert ["Amazon", "Other"] == trusted(ssm)
    assert [True, False] == [is_narrowed(ssm), is_narrowed(later)]


def test_a_client_built_before_learns_from_another(serve: Any, tmp_path: Path, other: Authority) -> None:
    """
    What one client learnt of a host all others know, those built earlier too.
    """
    server = serve({HOST: other.server_context(tmp_path, HOST)})
    one, two = client("ssm"), client("ssm", config=ONCE)
    assert [True, True] == [is_narrowed(one), is_narrowed(two)]
    ask(one)
    ask(two)

    assert [(HOST, False), (HOST, True), (HOST, True)] == server.handshakes(3)


def test_other_hosts_are_not_concerned(serve: Any, tmp_path: Path, amazon: Authority, other: Authority) -> None:
    """
    One host under another root does not widen what the clients of other hosts trust.
    """
    sqs = "sqs.eu-west-1.amazonaws.com"
    serve({HOST: other.server_context(tmp_path, HOST), sqs: amazon.server_context(tmp_path, sqs)})
    ask(client("ssm"))
    queues = client("sqs")
    queues.list_queues()

    assert ["Amazon"] == trusted(queues)


def test_an_unknown_root_is_refused(serve: Any, tmp_path: Path) -> None:
    """
    Whom neither Amazon's roots nor the bundle know is refused, as by boto3.
    """
    stranger = Authority.make("Stranger")
    server = serve({HOST: stranger.server_context(tmp_path, HOST)})
    with pytest.raises(SSLError, match="CERTIFICATE_VERIFY_FAILED"):
        ask(client("ssm", config=ONCE))

    assert [(HOST, False), (HOST, False)] == server.handshakes(2)


@pytest.mark.parametrize("root", ["amazon", "other"])
@pytest.mark.parametrize("wrong", ["expired", "name"])
def test_expiry_and_a_wrong_name_are_final(request: pytest.FixtureRequest, serve: Any, tmp_path: Path, root: str, wrong: str) -> None:
    """
    They are not tried again with the full bundle; under another root they are found out with it.
    """
    authority: Authority = request.getfixturevalue(root)
    if wrong == "expired":
        server = serve({HOST: authority.server_context(tmp_path, HOST, expired=True)})
    else:
        server = serve({HOST: authority.server_context(tmp_path, "elsewhere.amazonaws.com")})
    with pytest.raises(SSLError, match="expired" if wrong == "expired" else "doesn't match|mismatch|not valid for"):
        ask(client("ssm", config=ONCE))

    assert (1 if root == "amazon" else 2) == len(server.handshakes(1 if root == "amazon" else 2))
    assert [] == server.requests


@pytest.mark.parametrize("how", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE", "verify"])
def test_the_users_own_authority_wins(monkeypatch: pytest.MonkeyPatch, serve: Any, tmp_path: Path, amazon: Authority, how: str) -> None:
    """
    Who names authorities means these alone: their server is trusted, Amazon's is not.
    """
    own = Authority.make("Own")
    pem = tmp_path / "own.pem"
    pem.write_text(own.pem)
    options: dict[str, Any] = {"verify": str(pem)} if how == "verify" else {}
    if not options:
        monkeypatch.setenv(how, str(pem))
    sqs = "sqs.eu-west-1.amazonaws.com"
    serve({HOST: own.server_context(tmp_path, HOST), sqs: amazon.server_context(tmp_path, sqs)})
    ssm = client("ssm", **options)
    ask(ssm)

    assert not is_narrowed(ssm)
    with pytest.raises(SSLError):
        client("sqs", config=ONCE, **options).list_queues()


def test_no_verification_stays_none(serve: Any, tmp_path: Path) -> None:
    """
    verify=False is the user's affair, with urllib3's warning.
    """
    serve({HOST: Authority.make("Stranger").server_context(tmp_path, HOST)})
    ssm = client("ssm", verify=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ask(ssm)

    assert not is_narrowed(ssm)


@pytest.mark.parametrize("how", ["variable", "config"])
def test_a_proxys_clients_are_left_alone(monkeypatch: pytest.MonkeyPatch, serve: Any, tmp_path: Path, other: Authority, how: str) -> None:
    """
    Behind a proxy the full bundle is loaded, and the tunnel works.
    """
    server = serve({HOST: other.server_context(tmp_path, HOST)})
    proxy = ConnectProxy(server.port)
    options: dict[str, Any] = {"config": Config(proxies={"https": proxy.url})} if how == "config" else {}
    if not options:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
    ssm = client("ssm", **options)
    ask(ssm)
    proxy.stop()

    assert [f"{HOST}:443"] == proxy.asked
    assert [(HOST, True)] == server.handshakes(1)
    assert not is_narrowed(ssm)


def test_a_variable_turns_it_off(monkeypatch: pytest.MonkeyPatch, serve: Any, tmp_path: Path, other: Authority) -> None:
    """
    LAMBDA_KIT_FULL_CA=1: the full bundle from the first connection on.
    """
    monkeypatch.setenv("LAMBDA_KIT_FULL_CA", "1")
    server = serve({HOST: other.server_context(tmp_path, HOST)})
    ssm = client("ssm")
    ask(ssm)

    assert [(HOST, True)] == server.handshakes(1)
    assert not is_narrowed(ssm)


@pytest.mark.parametrize(
    "options",
    [
        {"region_name": "cn-north-1"},
        {"region_name": "us-gov-west-1"},
        {"config": Config(use_dualstack_endpoint=True)},
        {"endpoint_url": "https://localhost:8443"},
        {"endpoint_url": "http://ssm.eu-west-1.amazonaws.com"},
    ],
    ids=["China", "GovCloud", "api.aws", "an endpoint of the user's", "no TLS"],
)
def test_other_partitions_and_endpoints_are_left_alone(options: dict[str, Any]) -> None:
    """
    Only hosts under amazonaws.com in partition aws are known to be under Amazon's roots.
    """
    assert not is_narrowed(client("ssm", **options))


def test_an_http_session_of_somebody_elses_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A library that replaced botocore's HTTP session has its reasons.
    """

    class Theirs(botocore.httpsession.URLLib3Session):
        pass

    made: Any = client("ssm")
    made._endpoint.http_session = Theirs()
    _trust.narrow(made)

    assert Theirs is type(made._endpoint.http_session)


def test_a_bundle_without_labels_is_used_whole(serve: Any, tmp_path: Path, bundle: Path, amazon: Authority, other: Authority) -> None:
    """
    A bundle laid out otherwise, as a distribution's may be, is trusted as it is.
    """
    bundle.write_text(amazon.pem + other.pem)
    server = serve({HOST: other.server_context(tmp_path, HOST)})
    ssm = client("ssm")
    ask(ssm)

    assert [(HOST, True)] == server.handshakes(1)
    assert not is_narrowed(ssm)


def test_threads_find_out_together(serve: Any, tmp_path: Path, other: Authority) -> None:
    """
    Threads that meet another root at once all get their answers, whoever widens first.
    """
    server = serve({HOST: other.server_context(tmp_path, HOST)})
    ssm = client("ssm", config=ONCE)
    ssm.meta  # noqa: B018 - touching is the point
    logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # more threads than the pool keeps connections
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda _: ask(ssm), range(64)))

    assert 64 == len(server.requests)
    assert not _roots.go_first(HOST)


@pytest.mark.parametrize("rewindable", [True, False], ids=["file", "pipe"])
def test_a_body_is_sent_once(serve: Any, tmp_path: Path, other: Authority, rewindable: bool) -> None:
    """
    The refused handshake comes before the body: a stream that cannot be rewound arrives whole.
    """

    class Pipe(io.BytesIO):
        def seekable(self) -> bool:
            return False

    host = "bucket.s3.eu-west-1.amazonaws.com"
    data = bytes(range(256)) * 512
    server = serve({host: other.server_context(tmp_path, host)})
    server.answers["/k"] = b""
    body = io.BytesIO(data) if rewindable else Pipe(data)
    client("s3", config=ONCE).put_object(Bucket="bucket", Key="k", Body=body, ContentLength=len(data))

    assert [("PUT", data)] == [(request.method, request.body) for request in server.requests]


def test_a_streamed_answer_is_read_in_parts(serve: Any, tmp_path: Path, other: Authority) -> None:
    """
    The connection of a streaming body outlives the call that found out about the root.
    """
    host = "bucket.s3.eu-west-1.amazonaws.com"
    data = bytes(range(256)) * 4096
    server = serve({host: other.server_context(tmp_path, host)})
    server.answers["/k"] = data
    body = client("s3", config=ONCE).get_object(Bucket="bucket", Key="k")["Body"]

    assert data == b"".join(body.iter_chunks(65536))
