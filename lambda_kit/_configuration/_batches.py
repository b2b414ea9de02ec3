"""
Several values in one call: which can be asked for together, and which answer belongs to whom.
"""

from __future__ import annotations

from contextlib import suppress

from lambda_kit import _runtime
from lambda_kit._cache import Cache
from lambda_kit._configuration import _calls
from lambda_kit._configuration._sources import Parameter, Sealed, Secret, cache, secret_of, version_of
from lambda_kit.errors import DeadlineError, ParameterAccessError, ParameterError, ParameterNotFoundError, ServiceError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from lambda_kit._configuration._sources import Fetched, Source

# GetParameters takes ten names at most, BatchGetSecretValue twenty.
# https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameters.html
# https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_BatchGetSecretValue.html
MOST_PARAMETERS = 10
MOST_SECRETS = 20
# BatchGetSecretValue may be called a hundredth as often as GetSecretValue: for two it is not worth it.
# https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html
FEWEST_SECRETS = 3
CURRENT = "AWSCURRENT"

# Operations that this function's role may not use; what can be done one by one is.
_denied: set[str] = set()
# Callers that want the same things at the same time share the calls for them. Nothing is kept in it.
_rounds: Cache[frozenset[Hashable]] = Cache(max_entries=16)


class Batch:
    """
    Sources that are asked for in one call.
    """

    __slots__ = ("operation", "sources")

    def __init__(self, operation: str, sources: Sequence[Source]) -> None:
        self.operation = operation
        self.sources = sources

    @property
    def name(self) -> str:
        """
        The first one's.
        """
        return self.sources[0].name

    def fetch(self, budget_s: float, *, patient: bool) -> dict[Hashable, Fetched | ParameterError]:
        """
        Return what came of each, by key. What the answer says nothing of is left out.
        """
        ask_for = _parameters if self.operation == "GetParameters" else _secrets
        return ask_for(self, budget_s, patient)

    def __str__(self) -> str:
        return ", ".join(map(str, self.sources))


def fetch_together(wanted: Iterable[tuple[Source, float]], budget_s: float, *, fresh: bool = False) -> frozenset[Hashable]:
    """
    Put into the cache what can be fetched with others in one call and is not there, or older than its number says.

    A name that does not exist, or one secret that may not be read, is refused for itself. What a call as a whole does not
    bring is left to a call of its own: the keys that were brought, or refused, are returned.
    """
    missing: dict[Hashable, tuple[Source, float]] = {}
    for source, max_age_s in wanted:
        if fresh or cache.fresh(source.key, max_age_s) is None:
            missing[source.key] = source, max_age_s
    ages_s = {key: max_age_s for key, (_, max_age_s) in missing.items()}
    until_s = _runtime.monotonic_s() + budget_s

    def fetch() -> tuple[frozenset[Hashable], None]:
        together = batches([source for source, _ in missing.values()])
        brought = [_fetch(batch, ages_s, until_s - _runtime.monotonic_s()) for batch in together]
        return frozenset().union(*brought), None

    if missing and fresh:
        # Not another caller's, which may have begun before this one's value was written.
        return fetch()[0]
    if missing:
        with suppress(DeadlineError):
            return _rounds.get(frozenset(missing), fetch, max_age_s=0.0, wait_s=max(budget_s, 0.0)).value
    return frozenset()


def fetch_along(source: Source, budget_s: float) -> Fetched:
    """
    Fetch *source* anew, and in the same call what else of its kind has to be renewed soon.
    """
    batch = _along(source)
    if batch is None:
        return source.fetch(budget_s, patient=False)
    until_s = _runtime.monotonic_s() + budget_s
    try:
        mine = _fetch_and_keep_others(batch, source.key, budget_s)
    except ParameterError as exc:
        if exc.retryable:
            raise
        # It need not be about this one: another name, or the operation itself, may be what the role may not read.
        if isinstance(exc, ParameterAccessError):
            _denied.add(batch.operation)
        mine = None
    if isinstance(mine, ParameterError):
        raise mine
    return source.fetch(until_s - _runtime.monotonic_s(), patient=False) if mine is None else mine


def _fetch_and_keep_others(batch: Batch, mine: Hashable, budget_s: float) -> Fetched | ParameterError | None:
    since = cache.begin()
    found = batch.fetch(budget_s, patient=False)
    for key, each in found.items():
        known = cache.known(key)
        # Who is refused here is refused when its own turn comes.
        if key != mine and known is not None and not isinstance(each, ParameterError):
            cache.put(key, *each, max_age_s=known.max_age_s, since=since)
    return found.get(mine)


def batches(sources: Iterable[Source]) -> Iterator[Batch]:
    """
    Yield the fewest calls that bring *sources*; those that are better asked for alone are left out.
    """
    clear: list[Parameter] = []
    encrypted: list[Parameter] = []
    secrets: dict[str, Source] = {}
    for source in sources:
        if isinstance(source, Parameter):
            (clear if source.decrypt else encrypted).append(source)
        elif isinstance(source, Secret) and source.stage == CURRENT:
            secrets[source.name] = source
    for group in (clear, encrypted):
        yield from (Batch("GetParameters", several) for several in _grouped(group) if len(several) > 1)
    if len(secrets) >= FEWEST_SECRETS:
        several = list(secrets.values())
        yield from (Batch("BatchGetSecretValue", several[at : at + MOST_SECRETS]) for at in range(0, len(several), MOST_SECRETS))


def _grouped(parameters: list[Parameter]) -> list[list[Parameter]]:
    """
    Put up to ten into a group, and never two selections of one parameter: the answer does not always tell them apart.
    """
    groups: list[dict[str, Parameter]] = []
    for parameter in parameters:
        name = _plain(parameter.selected_name)
        for group in groups:
            if len(group) < MOST_PARAMETERS and name not in group:
                group[name] = parameter
                break
        else:
            groups.append({name: parameter})
    return [list(group.values()) for group in groups]


def _plain(selected_name: str) -> str:
    """
    Return the name as answers have it, without account, version or label, and without the slash that an ARN does not show.
    """
    name = selected_name
    if name.startswith("arn:"):
        name = name.split(":", 5)[5].removeprefix("parameter")
    return name.partition(":")[0].removeprefix("/")


def _fetch(batch: Batch, ages_s: dict[Hashable, float], budget_s: float) -> list[Hashable]:
    """
    Ask for a batch, keep what comes of it, and return the keys that are done with.
    """
    since = cache.begin()
    try:
        found = batch.fetch(budget_s, patient=True)
    except ParameterError:
        # One name that is malformed or not allowed spoils all of them; which one it is turns out one by one.
        return []
    for key, each in found.items():
        if not isinstance(each, ParameterError):
            cache.put(key, *each, max_age_s=ages_s[key], since=since)
        elif not each.retryable:
            cache.refuse(key, each)
    return [key for key, each in found.items() if not (isinstance(each, ParameterError) and each.retryable)]


def _along(source: Source) -> Batch | None:
    """
    Return a call that brings *source* and what is due soon; ``None`` when there is nothing, or not enough of it.
    """
    if not isinstance(source, Parameter | Secret):
        return None
    due: list[Source] = [source]
    for key in cache.due():
        match key:
            case ("parameter", str(name), None | int() | str() as version, bool(decrypt)) if key != source.key:
                due.append(Parameter(name, version, decrypt))
            case ("secret", str(name), str(stage)) if key != source.key:
                due.append(Secret(name, stage))
    for batch in batches(due):
        if source in batch.sources:
            return None if batch.operation in _denied else batch
    return None


def _parameters(batch: Batch, budget_s: float, patient: bool) -> dict[Hashable, Fetched | ParameterError]:
    wanted = {source.selected_name: source for source in batch.sources if isinstance(source, Parameter)}
    by_plain = {_plain(selected_name): source for selected_name, source in wanted.items()}
    decrypt = next(iter(wanted.values())).decrypt
    answer = _calls.ask(batch, "ssm", batch.operation, {"Names": list(wanted), "WithDecryption": decrypt}, budget_s, patient=patient)
    found: dict[Hashable, Fetched | ParameterError] = {}
    for each in answer["Parameters"]:
        source = by_plain.get(_plain(each["Name"]))
        if source is not None:
            found[source.key] = each["Value"], version_of(each)
    for selected_name in answer.get("InvalidParameters", ()):
        source = wanted.get(selected_name)
        if source is not None:
            found[source.key] = ParameterNotFoundError(
                f"no {source} in {_calls.region()} (InvalidParameters): create it there, or correct the name", name=source.name
            )
    return found


def _secrets(batch: Batch, budget_s: float, patient: bool) -> dict[Hashable, Fetched | ParameterError]:
    wanted = {source.name: source for source in batch.sources}
    payload: dict[str, object] = {"SecretIdList": list(wanted)}
    until_s = _runtime.monotonic_s() + budget_s
    values, refusals = Sealed(), Sealed()
    while True:
        answer = _calls.ask(batch, "secretsmanager", batch.operation, payload, until_s - _runtime.monotonic_s(), patient=patient)
        values += answer.get("SecretValues", ())
        refusals += answer.get("Errors", ())
        token = answer.pop("NextToken", None)
        del answer
        if token in (None, payload.get("NextToken")):
            break
        payload["NextToken"] = token
    found: dict[Hashable, Fetched | ParameterError] = {}
    for each in values:
        for name in _names(each, wanted):
            found[wanted[name].key] = secret_of(each)
    for each in refusals:
        source = wanted.get(each.get("SecretId", ""))
        if source is not None:
            found[source.key] = _refusal(source, each)
    return found


def _names(found: dict[str, str], wanted: Iterable[str]) -> list[str]:
    """
    Return the names under which a secret was asked for: its own, its ARN, or its ARN without the six letters at the end.
    """
    own = (found.get("Name"), found["ARN"], found["ARN"][:-7])
    return [name for name in wanted if name in own]


def _refusal(source: Source, said: dict[str, str]) -> ParameterError:
    code, reason = said.get("ErrorCode", "Unknown"), said.get("Message", "")
    refusal = ServiceError(f"{code}: {reason}" if reason else code, code=code, reason=reason, status=400, region=_calls.region())
    error = _calls.error_of(source, "GetSecretValue", refusal)
    error.__cause__ = refusal
    return error


_runtime.register(fork=_denied.clear, restore=_denied.clear, reset=_denied.clear)
