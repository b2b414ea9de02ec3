"""
A loader of botocore's data that reads what a client needs, not what there is.

botocore parses the endpoints of all services (1.25 MB) and lists all services' folders twice to build one client. This loader
decodes the entry of the service being built and looks into its folder only; botocore's files stay as they are, nothing is
written, and what it hands out equals what botocore's own loader does. Whatever is laid out otherwise is read in botocore's way.
"""

from __future__ import annotations

import json
import os
import threading

from lambda_kit._require import require

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

# The layout of endpoints.json: a partition's members are indented by four, a service's name by six.
_SERVICES = '\n    "services" : {\n'
_SERVICES_END = "\n    }"
_NAME = '\n      "'
_NAME_END = '" : {'
_HOLE = ""

_made: dict[type, type] = {}


def install(session: Any) -> None:
    """
    Put the loader into a botocore *session*, unless somebody has put in one of their own.

    Search paths, with the user's own among them, are taken over.
    """
    loaders = require("botocore.loaders", extra="aws")
    present = session.get_component("data_loader")
    if type(present) is loaders.Loader:
        plain = type(present.file_loader) is loaders.JSONFileLoader
        session.register_component("data_loader", _class(loaders)(present, _PlainFiles() if plain else present.file_loader))


def _class(loaders: Any) -> Any:
    """
    Return the loader's class; it is made on first use, because botocore is not imported before.
    """
    if loaders.Loader not in _made:
        _made[loaders.Loader] = type("LeanLoader", (_Lean, loaders.Loader), {})
    return _made[loaders.Loader]


class _Lean:
    """
    What is done otherwise than by botocore's own loader: endpoints, and the question whether a service exists.
    """

    def __init__(self, present: Any, file_loader: object) -> None:
        made: Any = super()
        made.__init__(list(present.search_paths), file_loader, include_default_search_paths=False)
        self._loading = threading.local()
        self._endpoints: tuple[Any, str] | None = None

    def list_available_services(self, type_name: str) -> list[str]:
        """
        List all services, or only the one that is just being loaded and is known to exist.
        """
        plain: Any = super()
        loading: str | None = getattr(self._loading, "name", None)
        listed: list[str] = plain.list_available_services(type_name) if loading is None else [loading]
        return listed

    def load_service_model(self, service_name: str, type_name: str, api_version: str | None = None) -> Any:
        """
        Load a model without having all services listed, which takes a look into each of 440 folders.
        """
        plain: Any = super()
        self._loading.name = service_name if _exists(self, service_name, type_name) else None
        try:
            return plain.load_service_model(service_name, type_name, api_version)
        finally:
            self._loading.name = None

    def load_data_with_path(self, name: str) -> tuple[Any, str]:
        """
        Load data by its name; for the endpoints that come with botocore each service's are decoded when asked for.
        """
        plain: Any = super()
        if name == "endpoints" and self._endpoints is None:
            self._endpoints = _builtin_endpoints(self)
        loaded: tuple[Any, str] | None = self._endpoints if name == "endpoints" else None
        return plain.load_data_with_path(name) if loaded is None else loaded


def _exists(loader: Any, service_name: str, type_name: str) -> bool:
    try:
        return bool(loader.list_api_versions(service_name, type_name))
    except require("botocore.exceptions", extra="aws").DataNotFoundError:
        return False


def _builtin_endpoints(loader: Any) -> tuple[Any, str] | None:
    """
    Return data and path of botocore's own file, unless a search path before it has one, or it is laid out otherwise.
    """
    for folder in loader.search_paths:
        here = os.path.join(folder, "endpoints")
        if folder == loader.BUILTIN_DATA_PATH:
            data = endpoints(here + ".json") if os.path.isfile(here + ".json") else None
            return None if data is None else (data, here)
        if loader.file_loader.exists(here):
            return None
    return None


class _PlainFiles:
    """
    Load JSON files as botocore's file loader does, into plain dicts: they keep the order too, and cost less.
    """

    __slots__ = ()

    def exists(self, file_path: str) -> bool:
        """
        Tell whether there is a file, compressed or not, at *file_path*, which has no extension.
        """
        return os.path.isfile(file_path + ".json") or os.path.isfile(file_path + ".json.gz")

    def load_file(self, file_path: str) -> Any:
        """
        Return what the file at *file_path* holds, or ``None`` when there is none.
        """
        if os.path.isfile(file_path + ".json"):
            with open(file_path + ".json", "rb") as file:
                return json.loads(file.read())
        if os.path.isfile(file_path + ".json.gz"):
            from gzip import decompress

            with open(file_path + ".json.gz", "rb") as file:
                return json.loads(decompress(file.read()))
        return None


def endpoints(path: str) -> Any | None:
    """
    Return the content of the endpoints file at *path* with each service undecoded, or ``None`` when it is laid out otherwise.
    """
    with open(path, encoding="utf-8") as file:
        text = file.read()
    skeleton, found = _split(text)
    try:
        data = json.loads(skeleton)
        holes = {number: _Services(entries) for number, entries in enumerate(found)}
        for partition in data["partitions"]:
            number = partition["services"].get(_HOLE)
            if number is not None:
                partition["services"] = holes.pop(number)
        return None if holes else data
    except (AttributeError, LookupError, TypeError, ValueError):
        return None


def _split(text: str) -> tuple[str, list[str]]:
    """
    Return *text* with numbered holes in place of the members of each ``services``, and these members.
    """
    skeleton: list[str] = []
    found: list[str] = []
    at = 0
    while (begin := text.find(_SERVICES, at)) >= 0:
        begin += len(_SERVICES) - 1
        end = text.find(_SERVICES_END, begin)
        skeleton.append(f'{text[at:begin]}"{_HOLE}": {len(found)}')
        found.append(text[begin:end])
        at = end
    return "".join([*skeleton, text[at:]]), found


def _refused(*_: object) -> NoReturn:
    raise TypeError("the endpoints' data is for reading: take a copy()")


_for_reading: Any = _refused


class _Services(dict["str", "Any"]):
    """
    The services of one partition. Keys are there, a value is decoded when it is asked for; asking for all decodes all.
    """

    __slots__ = ()

    def __init__(self, text: str) -> None:
        super().__init__()
        first, *entries = text.split(_NAME)
        if first.strip():
            raise ValueError("no service's name where one was expected")
        for entry in entries:
            name, found, value = entry.partition(_NAME_END)
            value = value.rstrip().removesuffix(",")
            if not found or '"' in name or "\\" in name or not value.endswith("\n      }"):
                raise ValueError("no service's entry where one was expected")
            self[name] = "{" + value

    def __getitem__(self, name: str) -> Any:
        value = super().__getitem__(name)
        if isinstance(value, str):
            value = self[name] = json.loads(value)
        return value

    def __iter__(self) -> Any:
        # A method of its own tells dict() and ** that they have to ask for values.
        return super().__iter__()

    def get(self, name: str, default: Any = None) -> Any:
        """
        Return one service's entry.
        """
        return self[name] if name in self else default  # noqa: SIM401 - this is get()

    def items(self) -> Any:
        """
        Return all names and entries.
        """
        self._complete()
        return super().items()

    def values(self) -> Any:
        """
        Return all entries.
        """
        self._complete()
        return super().values()

    def copy(self) -> dict[str, Any]:
        """
        Return a plain dictionary of everything.
        """
        return dict(self.items())

    def __eq__(self, other: object) -> bool:
        return self.copy() == (other.copy() if isinstance(other, _Services) else other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        return repr(self.copy())

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[dict[str, Any]]]:
        return dict, (self.copy(),)

    # What would hand out or take over an entry that is not decoded.
    __or__ = __ror__ = __ior__ = pop = popitem = setdefault = update = _for_reading

    def _complete(self) -> None:
        for name in self:
            self[name]
