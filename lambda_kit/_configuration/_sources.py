"""
Parameters of Parameter Store and secrets of Secrets Manager: how one is named, asked for and kept.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from lambda_kit import _invocation, _runtime
from lambda_kit._cache import Cache
from lambda_kit._configuration._calls import ask
from lambda_kit.errors import ConfigurationError, DeadlineError, ParameterUnavailableError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from lambda_kit._cache import Entry
    from lambda_kit._configuration._conversion import Stored

# What a read may take off Lambda, where there is no deadline.
UNBOUNDED_S = 60.0

# One process talks to one region and endpoint, and a turn of its life empties the cache: so neither is part of a key.
cache: Cache[Stored] = Cache()


class Source(ABC):
    """
    One thing that can be read: what it is called, and under which key its value is kept.
    """

    __slots__ = ("key", "name")

    def __init__(self, name: str, key: tuple[object, ...]) -> None:
        self.name = name
        self.key = key

    @abstractmethod
    def fetch(self, budget_s: float) -> tuple[Stored, str | None]:
        """
        Ask AWS, in about *budget_s* at most, and return the value and its version.
        """

    def stale_for_s(self, wanted_s: float) -> float:
        """
        Return how long the value may be served stale, when *wanted_s* is what its reader would take.
        """
        return wanted_s

    def read(self, max_age_s: float, stale_for_s: float, *, budget_s: float | None = None) -> Entry[Stored]:
        """
        Return the value from the cache, or from AWS when it is too old.
        """
        left_s = _invocation.remaining_s(UNBOUNDED_S) if budget_s is None else budget_s
        try:
            return cache.get(
                self.key,
                lambda: self.fetch(left_s),
                max_age_s=max_age_s,
                stale_for_s=self.stale_for_s(stale_for_s),
                wait_s=left_s,
                what=str(self),
            )
        except DeadlineError as exc:
            raise ParameterUnavailableError(f"{self}: no time left to wait for it: {exc}", name=self.name) from exc

    def read_again(self) -> Entry[Stored]:
        """
        Return the value from AWS, and keep it.
        """
        return cache.renew(self.key, lambda: self.fetch(_invocation.remaining_s(UNBOUNDED_S)))


class Parameter(Source):
    """
    A parameter: by name, ARN, ``name:version`` or ``name:label``.
    """

    __slots__ = ("decrypt", "version")

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

    def fetch(self, budget_s: float) -> tuple[Stored, str | None]:
        answer = ask(self, "ssm", "get_parameter", {"Name": self.selected_name, "WithDecryption": self.decrypt}, budget_s)
        found = answer["Parameter"]
        return found["Value"], version_of(found)

    def __str__(self) -> str:
        return f"parameter {self.selected_name!r}"


class Secret(Source):
    """
    A secret: by name or ARN, and the stage that tells which of its versions.
    """

    __slots__ = ("stage",)

    def __init__(self, name: str, stage: str) -> None:
        super().__init__(name, ("secret", name, stage))
        self.stage = stage

    def fetch(self, budget_s: float) -> tuple[Stored, str | None]:
        found = ask(self, "secretsmanager", "get_secret_value", {"SecretId": self.name, "VersionStage": self.stage}, budget_s)
        return found["SecretBinary"] if "SecretBinary" in found else found["SecretString"], found["VersionId"]

    def stale_for_s(self, wanted_s: float) -> float:
        """
        Return *wanted_s*, or less if the function's owner caps it by ``LAMBDA_KIT_STALE_SECRETS_S``.
        """
        cap = _runtime.setting("LAMBDA_KIT_STALE_SECRETS_S")
        if cap is None:
            return wanted_s
        try:
            return min(wanted_s, float(cap))
        except ValueError:
            raise ConfigurationError(f"LAMBDA_KIT_STALE_SECRETS_S is to be a number of seconds: got {cap!r}") from None

    def __str__(self) -> str:
        return f"secret {self.name!r}" if self.stage == "AWSCURRENT" else f"secret {self.name!r} ({self.stage})"


def version_of(found: dict[str, object]) -> str | None:
    """
    Return the version of a parameter. References to secrets always say 0, whatever the secret's version.
    """
    version = found.get("Version")
    return str(version) if version else None
