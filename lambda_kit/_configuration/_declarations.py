"""
Declarations: a parameter, a secret, a variable, an encrypted variable, each as a handle of its current value.
"""

from __future__ import annotations

from lambda_kit._configuration._conversion import check_ages, check_declaration, check_option
from lambda_kit._configuration._sources import Encrypted, Parameter, Secret
from lambda_kit._configuration._stored import StoredValue
from lambda_kit._configuration._variables import REQUIRED, Variable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar, overload

    from lambda_kit._handles import Handle
else:
    from lambda_kit._typing import TypeVar, overload

T = TypeVar("T")
D = TypeVar("D")

# How old a value may be, and how much older while its service is down.
MAX_AGE_S = 300.0
STALE_PARAMETERS_S = 86_400.0
STALE_SECRETS_S = 3_600.0


@overload
def parameter(
    name: str, *, max_age_s: float = ..., stale_for_s: float = ..., version: int | str | None = ..., decrypt: bool = ...
) -> StoredValue[str]: ...
@overload
def parameter(
    name: str,
    *,
    convert: type[T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version: int | str | None = ...,
    decrypt: bool = ...,
) -> StoredValue[T]: ...
@overload
def parameter(
    name: str,
    *,
    convert: Callable[[str], T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version: int | str | None = ...,
    decrypt: bool = ...,
) -> StoredValue[T]: ...
def parameter(
    name: str,
    *,
    convert: Callable[[Any], Any] = str,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_PARAMETERS_S,
    version: int | str | None = None,
    decrypt: bool = True,
) -> StoredValue[Any]:
    """
    Declare parameter *name* of SSM's Parameter Store: call the handle to get its value.

    Nothing happens before the first call, which costs a request; later ones cost a comparison of clocks. However many threads
    come at once, one asks AWS.

    Args:
        name: Name, ARN, ``name:version`` or ``name:label``.
        convert: Turns the text into the value, once per version: a function, ``bool`` (true/false/1/0/yes/no/on/off), or a
            pydantic model class, for which the text is JSON. A StringList is one text with commas. What could be changed - a
            ``dict``, a ``list``, a model that is not frozen - is copied for each call; objects of other classes are shared.
        max_age_s: Seconds on the wall clock as well as on the monotonic one, so that a freeze counts. To spread the requests
            of many environments, a value is renewed from half of it on.
        stale_for_s: How much older the value may be while Parameter Store throttles, fails or cannot be reached.
        version: A version number or a label.
        decrypt: Give the clear text of a SecureString; ``False`` gives its ciphertext.

    Raises:
        ParameterNotFoundError: At a call: there is no such parameter, version or label in the region.
        ParameterAccessError: The role may not read it, or not use its key. A stale value is not served then.
        ParameterValueError: *convert* refused the text; a corrected one is seen 5 s later at the latest.
        ParameterUnavailableError: There was no answer, and no value young enough.
        ConfigurationError: At once: no name, a *convert* that is no function, an option of the wrong type.

    Source: https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
    """
    check_declaration("parameter", name, convert)
    check_ages("parameter", name, max_age_s, stale_for_s)
    check_option("parameter", name, "version", version, int, str, type(None))
    check_option("parameter", name, "decrypt", decrypt, bool)
    return StoredValue(Parameter(name, version, decrypt), convert=convert, max_age_s=max_age_s, stale_for_s=stale_for_s)


@overload
def secret(
    name: str, *, key: str | None = ..., max_age_s: float = ..., stale_for_s: float = ..., version_stage: str = ...
) -> StoredValue[str]: ...
@overload
def secret(
    name: str,
    *,
    key: str | None = ...,
    convert: type[T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version_stage: str = ...,
) -> StoredValue[T]: ...
@overload
def secret(
    name: str,
    *,
    key: str | None = ...,
    convert: Callable[[str], T] | Callable[[bytes], T],
    max_age_s: float = ...,
    stale_for_s: float = ...,
    version_stage: str = ...,
) -> StoredValue[T]: ...
def secret(
    name: str,
    *,
    key: str | None = None,
    convert: Callable[[Any], Any] = str,
    max_age_s: float = MAX_AGE_S,
    stale_for_s: float = STALE_SECRETS_S,
    version_stage: str = "AWSCURRENT",
) -> StoredValue[Any]:
    """
    Declare secret *name* of Secrets Manager: call the handle to get its value. Otherwise as :func:`parameter`.

    Args:
        name: Name or ARN.
        key: Take this member of a secret that is a JSON object; a member that is no text reaches *convert* as JSON.
        convert: As for a parameter; a binary secret reaches it as ``bytes``.
        stale_for_s: As for a parameter, capped for the whole function by ``LAMBDA_KIT_STALE_SECRETS_S`` (0 forbids it).
        version_stage: Which version: ``AWSCURRENT``, ``AWSPENDING``, ``AWSPREVIOUS`` or a label of yours.

    Source: https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html
    """
    check_declaration("secret", name, convert)
    check_ages("secret", name, max_age_s, stale_for_s)
    check_option("secret", name, "key", key, str, type(None))
    check_option("secret", name, "version_stage", version_stage, str)
    return StoredValue(Secret(name, version_stage), convert=convert, key=key, max_age_s=max_age_s, stale_for_s=stale_for_s)


@overload
def env(name: str) -> Handle[str]: ...
@overload
def env(name: str, *, default: D) -> Handle[str | D]: ...
@overload
def env(name: str, *, convert: type[T]) -> Handle[T]: ...
@overload
def env(name: str, *, convert: Callable[[str], T]) -> Handle[T]: ...
@overload
def env(name: str, *, default: D, convert: type[T]) -> Handle[T | D]: ...
@overload
def env(name: str, *, default: D, convert: Callable[[str], T]) -> Handle[T | D]: ...
def env(name: str, *, default: Any = REQUIRED, convert: Callable[[Any], Any] = str) -> Handle[Any]:
    """
    Declare environment variable *name*: call the handle to get its value, which is read then and not before.

    Args:
        default: What an unset variable stands for, as it is; without it an unset variable is an error. An empty one is set.
        convert: As for :func:`parameter`; runs again only when the text has changed.

    Raises:
        ParameterNotFoundError: At a call: the variable is not set.
        ParameterValueError: *convert* refused the text.
        ConfigurationError: At once: no name, a *convert* that is no function.
    """
    return Variable(name, default=default, convert=convert)


@overload
def kms_env(name: str) -> StoredValue[str]: ...
@overload
def kms_env(name: str, *, convert: type[T]) -> StoredValue[T]: ...
@overload
def kms_env(name: str, *, convert: Callable[[str], T] | Callable[[bytes], T]) -> StoredValue[T]: ...
def kms_env(name: str, *, convert: Callable[[Any], Any] = str) -> StoredValue[Any]:
    """
    Declare environment variable *name*, which was encrypted client-side with KMS: call the handle to get the clear text.

    The first call decrypts it, with the encryption context ``{"LambdaFunctionName": ...}`` that Lambda's console gives, or
    without one; there is no second request for as long as the environment lives. After a restore from a snapshot, which does
    not contain the clear text, it is decrypted again.

    Args:
        convert: As for :func:`parameter`; a clear text that is not UTF-8 reaches it as ``bytes``.

    Raises:
        ParameterNotFoundError: At a call: the variable is not set.
        ParameterAccessError: The role may not use the key, or the key is disabled.
        ParameterValueError: It is no ciphertext, or *convert* refused the clear text.
        ParameterUnavailableError: KMS did not answer.

    Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html
    """
    check_declaration("kms_env", name, convert)
    return StoredValue(Encrypted(name), convert=convert, max_age_s=float("inf"), stale_for_s=0.0)
