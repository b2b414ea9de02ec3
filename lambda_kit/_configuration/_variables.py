"""
The handle of an environment variable.
"""

from __future__ import annotations

from lambda_kit import _runtime
from lambda_kit._configuration._conversion import Made, attempt, check_declaration, raise_for
from lambda_kit._handles import Handle
from lambda_kit.errors import ParameterNotFoundError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from lambda_kit.errors import LambdaKitError
else:
    from lambda_kit._typing import TypeVar

T_co = TypeVar("T_co", covariant=True)

REQUIRED: Any = object()


class Variable(Handle[T_co]):
    """
    The handle that ``env()`` returns: reads the variable at each call, converts it when it changed.
    """

    __slots__ = ("_convert", "_default", "_made", "_text", "name")

    _default: T_co
    _made: Made

    def __init__(self, name: str, *, default: Any, convert: Callable[[Any], Any]) -> None:
        check_declaration("env", name, convert)
        self.name = name
        self._default = default
        self._convert = convert
        self._text: str | None = None

    def __call__(self) -> T_co:
        # Read each time: a test that sets the variable, and code that does, are seen.
        if self._text is not None and self._text == _runtime.setting(self.name):
            made = self._made
            value: T_co = made.value if made.copied is None else made.given()
            return value
        return self._convert_anew()

    def _convert_anew(self) -> T_co:
        if _runtime.setting(self.name) is None:
            if self._default is REQUIRED:
                raise ParameterNotFoundError(
                    f"environment variable {self.name!r} is not set: set it on the function, or give default=", name=self.name
                )
            return self._default
        made, problem, error = self._attempt()
        raise_for(problem, error, what=f"environment variable {self.name!r}", name=self.name)
        given: T_co = made.given()
        return given

    def _attempt(self) -> tuple[Made, str, LambdaKitError | None]:
        text = _runtime.setting(self.name, "")
        value, problem, error = attempt(text or "", self._convert)
        made = Made(value)
        if not problem and error is None:
            self._made, self._text = made, text
        return made, problem, error

    def __repr__(self) -> str:
        return f"<environment variable {self.name!r}>"
