"""
The lean loader hands out what botocore's own does, reads less for it, and leaves the user's files and loaders alone.
"""

from __future__ import annotations

import copy
import gzip
import json
import pickle
from pathlib import Path
from typing import Any

import botocore
import botocore.session
import pytest
from botocore.exceptions import DataNotFoundError, UnknownServiceError
from botocore.loaders import JSONFileLoader, Loader

from lambda_kit._clients import _loader

ENDPOINTS = Path(botocore.__file__).parent / "data" / "endpoints.json"
ENTRY = '{\n        "endpoints" : {\n          "eu-west-1" : { }\n        }\n      }'


def laid_out(services: str) -> str:
    """
    Return an endpoints file of one partition in botocore's layout.
    """
    return f'{{\n  "partitions" : [ {{\n    "partition" : "aws",\n    "services" : {services}\n  }} ],\n  "version" : 3\n}}\n'


@pytest.fixture
def session() -> Any:
    """
    A botocore session with the lean loader.
    """
    made = botocore.session.Session()
    _loader.install(made)
    return made


@pytest.fixture
def plain() -> Any:
    """
    A botocore session as it comes.
    """
    return botocore.session.Session()


class Reads(JSONFileLoader):
    """
    A file loader that remembers what was read.
    """

    def __init__(self) -> None:
        self.read: list[str] = []

    def load_file(self, file_path: str) -> Any:
        self.read.append(file_path)
        return super().load_file(file_path)


def test_endpoints_equal_botocores() -> None:
    """
    Every partition has the same services in the same order with the same entries, looked at in any way.
    """
    lean: Any = _loader.endpoints(str(ENDPOINTS))
    full = json.loads(ENDPOINTS.read_text(encoding="utf-8"))

    for ours, theirs in zip(lean["partitions"], full["partitions"], strict=True):
        assert list(theirs["services"]) == list(ours["services"])
    assert full["partitions"][0]["services"]["ssm"] == lean["partitions"][0]["services"]["ssm"]
    assert full == lean
    assert json.dumps(full) == json.dumps(lean)


def test_an_entry_is_decoded_when_it_is_asked_for() -> None:
    """
    The others stay text; a name that is not there is a KeyError or the default.
    """
    lean: Any = _loader.endpoints(str(ENDPOINTS))
    services = lean["partitions"][0]["services"]
    services["ssm"], services.get("sqs")
    decoded = [name for name, value in dict.items(services) if not isinstance(value, str)]

    assert ["sqs", "ssm"] == sorted(decoded)
    assert services["ssm"] is services["ssm"]
    assert "none" == services.get("nothing", "none")
    assert "nothing" not in services
    with pytest.raises(KeyError, match="nothing"):
        services["nothing"]


@pytest.mark.parametrize(
    "look",
    [
        dict,
        lambda services: {**services},
        lambda services: dict(services.items()),
        lambda services: dict(zip(services, services.values(), strict=True)),
        lambda services: services.copy(),
        copy.copy,
        copy.deepcopy,
        lambda services: pickle.loads(pickle.dumps(services)),  # noqa: S301 - our own bytes
        lambda services: json.loads(json.dumps(services)),
        lambda services: eval(repr(services)),  # noqa: S307 - our own text
    ],
    ids="dict unpacked items values copy() copy deepcopy pickle json repr".split(),
)
def test_looking_at_all_entries_decodes_them(look: Any) -> None:
    """
    No way of copying shows the text of an entry.
    """
    lean: Any = _loader.endpoints(str(ENDPOINTS))
    full = json.loads(ENDPOINTS.read_text(encoding="utf-8"))

    assert full["partitions"][1]["services"] == look(lean["partitions"][1]["services"])


def test_entries_compare_by_content() -> None:
    """
    Two readings of one file are equal, other content is not.
    """
    one: Any = _loader.endpoints(str(ENDPOINTS))
    two: Any = _loader.endpoints(str(ENDPOINTS))
    services = one["partitions"][1]["services"]

    assert two["partitions"][1]["services"] == services
    assert two["partitions"][2]["services"] != services
    assert services != {}


@pytest.mark.parametrize("change", ["pop", "update", "setdefault", "popitem"])
def test_the_data_is_for_reading(change: str) -> None:
    """
    What would hand out or mix in undecoded entries says so.
    """
    lean: Any = _loader.endpoints(str(ENDPOINTS))
    with pytest.raises(TypeError, match="for reading"):
        getattr(lean["partitions"][0]["services"], change)("ssm")


def test_a_small_file_of_the_layout_is_read(tmp_path: Path) -> None:
    """
    A partition may have no services, one or more.
    """
    path = tmp_path / "endpoints.json"
    text = laid_out(f'{{\n      "a" : {ENTRY},\n      "b" : {ENTRY}\n    }}')
    path.write_text(text)
    assert json.loads(text) == _loader.endpoints(str(path))

    path.write_text(laid_out("{ }"))
    assert {} == (_loader.endpoints(str(path)) or {})["partitions"][0]["services"]


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(json.loads(laid_out(f'{{\n      "a" : {ENTRY}\n    }}')), indent=4).replace('": {', '" : {'),
        laid_out(f'{{\n      "a": {ENTRY}\n    }}'),
        laid_out(f'{{\n      "a\\"" : {ENTRY}\n    }}'),
        laid_out(f'{{\n      \n "a" : {ENTRY}\n    }}'),
        laid_out('{\n      "a" : { }\n    }'),
        laid_out('{\n      "a" : 1\n    }'),
        laid_out(f'{{\n      "a" : {ENTRY}\n    ]'),
        laid_out(f'{{\n      "a" : {ENTRY}\n'),
        '{\n  "partitions" : [ ],\n  "x" : {\n    "services" : {\n      "a" : ' + ENTRY + "\n    }\n  }\n}",
        '{\n  "partitions" : {\n    "services" : {\n      "a" : ' + ENTRY + "\n    }\n  }\n}",
        "[]",
        "",
    ],
    ids="indented colon escaped gap short number bracket end elsewhere mapping list empty".split(),
)
def test_another_layout_is_not_read(tmp_path: Path, text: str) -> None:
    """
    Whatever does not look as expected is left to botocore.
    """
    path = tmp_path / "endpoints.json"
    path.write_text(text)

    found = _loader.endpoints(str(path))
    assert found is None or json.loads(text) == found


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov", "aws-iso", "nowhere"])
def test_available_regions_equal_botocores(session: Any, plain: Any, partition: str) -> None:
    """
    So do the regions of each service, the non-regional endpoints among them.
    """
    for service in ("s3", "ssm", "iam", "ec2", "bedrock-runtime", "no-such-service"):
        for others in (False, True):
            args = (service, partition, others)
            assert plain.get_available_regions(*args) == session.get_available_regions(*args)


def test_available_services_and_partitions_equal_botocores(session: Any, plain: Any) -> None:
    """
    Asking for all still lists all.
    """
    assert plain.get_available_services() == session.get_available_services()
    assert plain.get_available_partitions() == session.get_available_partitions()
    assert plain.get_partition_for_region("cn-north-1") == session.get_partition_for_region("cn-north-1")
    assert plain.get_service_data("sqs") == session.get_service_data("sqs")
    assert json.dumps(plain.get_data("endpoints")) == json.dumps(session.get_data("endpoints"))


def test_one_model_is_read_for_one_client(session: Any) -> None:
    """
    The folders of other services are not looked into, and endpoints are read once for all sessions that share the loader.
    """
    loader = session.get_component("data_loader")
    loader.file_loader = reads = Reads()
    loader.load_service_model("sqs", "service-2")
    first, path = loader.load_data_with_path("endpoints")

    assert {"sqs"} == {Path(each).parts[-3] for each in reads.read}
    assert first is loader.load_data("endpoints")
    assert loader.is_builtin_path(path)


def test_an_unknown_service_is_botocores_error(session: Any, plain: Any) -> None:
    """
    With all known names in its message.
    """
    errors = []
    for each in (session, plain):
        with pytest.raises(UnknownServiceError) as raised:
            each.get_component("data_loader").load_service_model("sqx", "service-2")
        errors.append(str(raised.value))

    assert errors[0] == errors[1]
    with pytest.raises(DataNotFoundError):
        session.get_component("data_loader").load_data("nothing")


def test_a_loader_of_somebody_elses_is_left_alone(plain: Any) -> None:
    """
    Who put a loader into the session has a reason.
    """

    class Theirs(Loader):
        pass

    theirs = Theirs()
    plain.register_component("data_loader", theirs)
    _loader.install(plain)

    assert theirs is plain.get_component("data_loader")


def test_a_file_loader_of_somebody_elses_is_kept(plain: Any) -> None:
    """
    So has who put in a file loader.
    """
    plain.register_component("data_loader", Loader(file_loader=Reads()))
    _loader.install(plain)

    assert Reads is type(plain.get_component("data_loader").file_loader)


def test_search_paths_are_taken_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    The user's folders stay before botocore's, in their order.
    """
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    one, two = botocore.session.Session(), botocore.session.Session()
    _loader.install(one)

    assert two.get_component("data_loader").search_paths == one.get_component("data_loader").search_paths
    assert str(tmp_path) == one.get_component("data_loader").search_paths[0]


@pytest.mark.parametrize("name", ["endpoints.json", "endpoints.json.gz"])
def test_endpoints_of_the_users_win(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    """
    A file in a folder before botocore's is read as it is, compressed or not.
    """
    data = b'{"partitions": [], "mine": true}'
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    monkeypatch.setenv("AWS_DATA_PATH", str(tmp_path))
    session = botocore.session.Session()
    _loader.install(session)

    assert json.loads(data) == session.get_data("endpoints")


def test_without_botocores_own_file_the_search_goes_on(tmp_path: Path) -> None:
    """
    A botocore that compresses its endpoints, or is not on the search path, is searched in botocore's way.
    """
    session = botocore.session.Session()
    loader = Loader(include_default_search_paths=False)
    session.register_component("data_loader", loader)
    _loader.install(session)
    with pytest.raises(DataNotFoundError):
        session.get_data("endpoints")
    session.get_component("data_loader").BUILTIN_DATA_PATH = str(tmp_path)
    session.get_component("data_loader").search_paths.append(str(tmp_path))
    (tmp_path / "endpoints.json.gz").write_bytes(gzip.compress(b'{"partitions": []}'))

    assert {"partitions": []} == session.get_data("endpoints")
