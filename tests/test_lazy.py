"""
Lazy names: imported once, on first use, and listed from the start.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import lambda_kit
from tests import fresh_process

_FRONT = """
from lambda_kit._lazy import attach

__getattr__, __dir__ = attach(
    __name__,
    {"answer": "door._room", "broken": "door._broken", "absent": "door._absent", "attic": "door.attic"},
)
"""


@pytest.fixture
def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """
    A package whose names are lazy.
    """
    package = tmp_path / "door"
    package.mkdir()
    (package / "__init__.py").write_text(_FRONT)
    (package / "_room.py").write_text("answer = object()\n")
    (package / "_broken.py").write_text("import no_such_module_anywhere\n")
    (package / "attic.py").write_text("box = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("door")
    for name in [name for name in sys.modules if name.partition(".")[0] == "door"]:
        del sys.modules[name]


def test_nothing_is_imported_before_it_is_needed(door: ModuleType) -> None:
    """
    Importing the package, listing it and asking for a name it does not have load no room.
    """
    dir(door)

    assert not hasattr(door, "no_such_name")
    assert [] == [name for name in sys.modules if name.startswith("door.")]


def test_name_is_imported_once(door: ModuleType) -> None:
    """
    The first access stores the object in the package.
    """
    found = door.answer

    assert found is vars(door)["answer"]
    assert found is sys.modules["door._room"].answer


def test_module_of_that_name_stands_for_itself(door: ModuleType) -> None:
    """
    A home that ends in the name is the thing itself.
    """
    assert door.attic is sys.modules["door.attic"]


def test_unknown_name_is_an_attribute_error(door: ModuleType) -> None:
    """
    The error says which module lacks which name, in words and in its fields.
    """
    with pytest.raises(AttributeError, match="module 'door' has no attribute 'anwser'") as caught:
        door.anwser  # noqa: B018  # the access is the test

    assert ("anwser", door) == (caught.value.name, caught.value.obj)


def test_misspelt_name_gets_a_suggestion() -> None:
    """
    Python's own "Did you mean" knows the lazy names too.
    """
    ended = fresh_process.run("import lambda_kit; lambda_kit.paramter")

    assert "Did you mean: 'parameter'?" in ended.stderr


@pytest.mark.parametrize(("name", "missing"), [("broken", "no_such_module_anywhere"), ("absent", "door._absent")])
def test_failing_import_passes_as_it_is(door: ModuleType, name: str, missing: str) -> None:
    """
    An import error of a room is not disguised as a missing attribute.
    """
    with pytest.raises(ModuleNotFoundError) as caught:
        getattr(door, name)

    assert missing == caught.value.name


def test_dir_is_complete_and_sorted(door: ModuleType) -> None:
    """
    ``dir`` names what is loaded and what is not.
    """
    assert {"answer", "attic", "broken", "__name__"} <= set(dir(door))
    assert sorted(dir(door)) == door.__dir__()


def test_threads_see_one_object(door: ModuleType) -> None:
    """
    A first access from many threads at once gives all of them the same.
    """
    start = threading.Barrier(16)
    found: list[object] = []

    def look() -> None:
        start.wait()
        found.append(door.answer)

    threads = [threading.Thread(target=look) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert 16 == len(found)
    assert 1 == len(set(map(id, found)))


def test_front_door_lists_every_public_name() -> None:
    """
    Completion on the package offers all that it exports.
    """
    assert set(lambda_kit.__all__) <= set(dir(lambda_kit))


def test_front_door_loads_no_room() -> None:
    """
    ``import lambda_kit`` loads of the kit what the lazy names need, and typing not at all.
    """
    loaded = fresh_process.result(
        """
        import sys
        before = set(sys.modules)
        import lambda_kit, json
        dir(lambda_kit)
        print(json.dumps(sorted(name for name in set(sys.modules) - before if name.startswith(("lambda_kit", "typing")))))
        """,
    )

    assert ["lambda_kit", "lambda_kit._lazy"] == loaded
