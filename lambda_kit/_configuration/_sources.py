"""
Parameters, secrets and encrypted variables: how one is named, asked for and kept.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod

from lambda_kit import _runtime
from lambda_kit._cache import Cache
from lambda_kit._configuration._calls import ask
from lambda_kit.errors import ConfigurationError, ParameterNotFoundError, ParameterValueError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from lambda_kit._configuration._conversion import Stored

    Fetched = tuple[Stored, str | None]

# One process talks to one region and endpoint as one role, and a turn of its life empties the cache: so none is part of a key.
cache: Cache[Stored] = Cache()


class Sealed(list["dict[str, Any]"]):
    """
    Answers of AWS that do not show in a traceback while the next one is asked for.
    """

    __slots__ = ()

    def __repr__(self) -> str:
        return f"<{len(self)} values>"


class Source(ABC):
    """
    One thing that can be read: what it is called, and under which key its value is kept.
    """

    __slots__ = ("key", "name")

    service: str

    def __init__(self, name: str, key: tuple[object, ...]) -> None:
        self.name = name
        self.key = key

    @abstractmethod
    def fetch(self, budget_s: float, *, patient: bool = True) -> Fetched:
        """
        Ask AWS, in about *budget_s* at most, and return the value and its version.
        """

    def stale_for_s(self, wanted_s: float) -> float:
        """
        Return how long the value may be served stale, when *wanted_s* is what its reader would take.
        """
        return wanted_s


class Parameter(Source):
    """
    A parameter: by name, ARN, ``name:version`` or ``name:label``.
    """

    __slots__ = ("decrypt", "version")

    service = "ssm"

    def __init__(self, name: str, version: int | str | None, decrypt: bool) -> None:
        super().__init__(name, ("parameter", name, version, decrypt))
        self.version = version
        self.decrypt = decrypt

    @property
    def selected_name(self) -> str:
        """
        The name as SSM takes it, with the version or label asked for.
        """
        return self.name if self.version is None else f"{self.name}:{self.version}"

    def fetch(self, budget_s: float, *, patient: bool = True) -> Fetched:
        """
        Ask for it alone.
        """
        payload: dict[str, object] = {"Name": self.selected_name, "WithDecryption": self.decrypt}
        found = ask(self, self.service, "GetParameter", payload, budget_s, patient=patient)["Parameter"]
        return found["Value"], version_of(found)

    def __str__(self) -> str:
        return f"parameter {self.selected_name!r}"


class Tree(Source):
    """
    All parameters below a path: a JSON object of texts by full name.
    """

    __slots__ = ("decrypt", "recursive")

    service = "ssm"

    def __init__(self, path: str, recursive: bool, decrypt: bool) -> None:
        super().__init__(path, ("tree", path, recursive, decrypt))
        self.recursive = recursive
        self.decrypt = decrypt

    def fetch(self, budget_s: float, *, patient: bool = True) -> Fetched:
        """
        Ask for it page by page.
        """
        until_s = _runtime.monotonic_s() + budget_s
        payload: dict[str, object] = {"Path": self.name, "Recursive": self.recursive, "WithDecryption": self.decrypt, "MaxResults": 10}
        found = self._page(payload, budget_s, patient)
        while "NextToken" in payload:
            found += self._page(payload, until_s - _runtime.monotonic_s(), patient)
        for each in found:
            cache.put(Parameter(each["Name"], None, self.decrypt).key, each["Value"], version_of(each))
        versions = hash(tuple((each["Name"], version_of(each)) for each in found))
        return json.dumps({each["Name"]: each["Value"] for each in found}), f"{versions & 0xFFFFFFFF:08x}"

    def _page(self, payload: dict[str, object], budget_s: float, patient: bool) -> Sealed:
        """
        Return the page that *payload* asks for, and make it ask for the next one.
        """
        answer = ask(self, self.service, "GetParametersByPath", payload, budget_s, patient=patient)
        token = payload.pop("NextToken", None)
        # A token that stays the same would never end.
        if answer.get("NextToken") not in (None, token):
            payload["NextToken"] = answer["NextToken"]
        return Sealed(answer["Parameters"])

    def __str__(self) -> str:
        return f"parameters below {self.name!r}"


class Secret(Source):
    """
    A secret: by name or ARN, and the stage that tells which of its versions.
    """

    __slots__ = ("stage",)

    service = "secretsmanager"

    def __init__(self, name: str, stage: str) -> None:
        super().__init__(name, ("secret", name, stage))
        self.stage = stage

    def fetch(self, budget_s: float, *, patient: bool = True) -> Fetched:
        """
        Ask for it alone.
        """
        payload: dict[str, object] = {"SecretId": self.name, "VersionStage": self.stage}
        found = ask(self, self.service, "GetSecretValue", payload, budget_s, patient=patient)
        return secret_of(found)

    def stale_for_s(self, wanted_s: float) -> float:
        """
        Return *wanted_s*, or less if the function's owner caps it by ``LAMBDA_KIT_STALE_SECRETS_S``.
        """
        cap = _runtime.setting("LAMBDA_KIT_STALE_SECRETS_S")
        if cap is None:
            return wanted_s
        try:
            cap_s = float(cap)
        except ValueError:
            cap_s = -1.0
        # Neither is a number that is none: it would be no cap at all.
        if not cap_s >= 0:
            raise ConfigurationError(f"LAMBDA_KIT_STALE_SECRETS_S is to be a number of seconds: got {cap!r}")
        return min(wanted_s, cap_s)

    def __str__(self) -> str:
        return f"secret {self.name!r}" if self.stage == "AWSCURRENT" else f"secret {self.name!r} ({self.stage})"


class Encrypted(Source):
    """
    An environment variable whose text is a ciphertext of KMS, in base64.
    """

    __slots__ = ()

    service = "kms"

    def __init__(self, name: str) -> None:
        super().__init__(name, ("kms", name))

    def fetch(self, budget_s: float, *, patient: bool = True) -> Fetched:
        """
        Decrypt it: with the encryption context that Lambda's console gives, else without.
        """
        payload: dict[str, object] = {"CiphertextBlob": self._ciphertext()}
        function = _runtime.setting("AWS_LAMBDA_FUNCTION_NAME")
        if function is None:
            return self._decrypted(payload, budget_s, patient)
        until_s = _runtime.monotonic_s() + budget_s
        try:
            # https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
            return self._decrypted({**payload, "EncryptionContext": {"LambdaFunctionName": function}}, budget_s, patient)
        except ParameterValueError:
            return self._decrypted(payload, until_s - _runtime.monotonic_s(), patient)

    def _decrypted(self, payload: dict[str, object], budget_s: float, patient: bool) -> Fetched:
        plaintext: bytes = ask(self, self.service, "Decrypt", payload, budget_s, patient=patient)["Plaintext"]
        try:
            return plaintext.decode(), None
        except UnicodeDecodeError:
            return plaintext, None

    def _ciphertext(self) -> bytes:
        from binascii import Error, a2b_base64

        text = _runtime.setting(self.name)
        if text is None:
            raise ParameterNotFoundError(f"environment variable {self.name!r} is not set: set it on the function", name=self.name)
        try:
            return a2b_base64(text, strict_mode=True)
        except (Error, ValueError):
            raise ParameterValueError(f"{self} is not base64: is it encrypted at all?", name=self.name) from None

    def __str__(self) -> str:
        return f"encrypted environment variable {self.name!r}"


def version_of(found: dict[str, Any]) -> str | None:
    """
    Return the version of a parameter. References to secrets always say 0, whatever the secret's version.
    """
    version = found.get("Version")
    return str(version) if version else None


def secret_of(found: dict[str, Any]) -> Fetched:
    """
    Return the value of a secret and its version.
    """
    return found["SecretBinary"] if "SecretBinary" in found else found["SecretString"], found["VersionId"]


# Set by a test that gives values of its own: asked instead of AWS.
substitute: Callable[[Source], Fetched] | None = None


def substitute_by(values: Callable[[Source], Fetched] | None) -> Callable[[Source], Fetched] | None:
    """
    Ask *values* instead of AWS from now on, or AWS again; return what was asked until now. Everything cached is dropped.
    """
    global substitute  # the slot is the purpose
    earlier, substitute = substitute, values
    cache.reset()
    return earlier


def obtained(source: Source, budget_s: float, *, patient: bool = True) -> Fetched:
    """
    Fetch *source* from AWS, or from what stands in for it in a test.
    """
    return source.fetch(budget_s, patient=patient) if substitute is None else substitute(source)
