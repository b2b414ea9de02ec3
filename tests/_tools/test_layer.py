"""
``lambda-kit layer build``: what it packs, that it packs the same everywhere, and what it refuses.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import importlib.metadata
import json
import marshal
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lambda_kit._tools._compile import compile_tree
from lambda_kit._tools._layer import Layer, build_layer, interpreter_for
from lambda_kit._tools._layer_archive import compile_bytecode, running_python, tree_files
from lambda_kit._tools._layer_command import description, layer_app
from lambda_kit._tools._layer_kit import install_kit
from lambda_kit._tools._layer_packages import SDK, Wheels, check_tree
from lambda_kit._tools._layer_plan import Target, read_plan
from lambda_kit.errors import LayerError
from tests.layers import this_arch

_ROOT = Path(__file__).parents[2]
_PLAN = _ROOT / "layer" / "layer.toml"
_HERE = Target(running_python(), this_arch())

# What the kit needs even without an extra.
_NEEDED = ("cachetools", "tenacity")


class Shop:
    """
    A folder with wheels made for one test, and the plan of a layer made from them.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.wheels = Wheels(find_links=(folder / "wheels",), no_index=True)
        self.pins: dict[str, str] = {}
        (folder / "wheels").mkdir()
        for name in _NEEDED:
            self.add(name)

    def add(self, name: str, *, tag: str = "py3-none-any", files: dict[str, bytes] | None = None, hashed: bytes | None = None) -> None:
        """
        Offer and pin version 1.0 of the package *name*, by default one empty module.
        """
        module = name.replace("-", "_")
        info = f"{module}-1.0.dist-info"
        content = {
            **(files if files is not None else {f"{module}.py": b""}),
            f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode(),
            f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
        }
        rows = [f"{path},sha256={_urlsafe(data)},{len(data)}" for path, data in content.items()]
        content[f"{info}/RECORD"] = "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()
        wheel = self.folder / "wheels" / f"{module}-1.0-{tag}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, data in content.items():
                archive.writestr(path, data)
        self.pin(name, hashlib.sha256(hashed or wheel.read_bytes()).hexdigest())

    def pin(self, name: str, sha256: str = "0" * 64) -> None:
        """
        Pin version 1.0 of *name*, whether it is offered or not.
        """
        self.pins[name] = f"{name}==1.0 \\\n    --hash=sha256:{sha256}"

    def plan(self, **keys: object) -> Path:
        """
        Write ``layer.toml`` and its requirements.
        """
        (self.folder / "pins.txt").write_text("# pinned\n\n" + "\n".join(self.pins.values()) + "\n", encoding="utf-8")
        values = {"name": "shop", "requirements": "pins.txt", "python": [_HERE.python], "arch": [_HERE.arch], **keys}
        path = self.folder / "layer.toml"
        path.write_text("".join(f"{key} = {json.dumps(value)}\n" for key, value in values.items() if value is not None), encoding="utf-8")
        return path

    def build(self, **keys: object) -> Layer:
        """
        Build the layer without bytecode, which is quicker.
        """
        return build_layer(self.plan(**keys), out=self.folder / "out.zip", wheels=self.wheels, find_interpreter=lambda _: None)


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """
    A folder of wheels that a layer can be built from.
    """
    return Shop(tmp_path)


# A docstring on everything that has one, and an error on line 13.
_TALK = '''"""Module."""
from __future__ import annotations

class Talk:
    """Class."""

    def speak(self) -> str:
        """Method."""
        return "hello"

    async def whisper(self) -> None: ...
    def fail(self) -> float:
        return 1 / 0

class Empty:
    """Empty."""

def said() -> list[str | None]:
    return [__doc__, Talk.__doc__, Talk.speak.__doc__, Empty.__doc__]
'''


def test_a_second_build_gives_the_same_bytes(built_layer: Layer, wheels: Wheels, tmp_path: Path) -> None:
    """
    Another folder, another process's temporary names and another time make no difference.
    """
    again = build_layer(_PLAN, python=_HERE.python, arch=_HERE.arch, out=tmp_path / "again.zip", wheels=wheels)

    assert built_layer.content_sha256 == again.content_sha256
    assert built_layer.path.read_bytes() == again.path.read_bytes()


def test_the_layer_runs_alone(layer_folder: Path) -> None:
    """
    With nothing on the path but the standard library and the layer, the kit, its events and its drivers import.

    Nothing of the developer's side is there, and no entry point names it.
    """
    source = f"""
import sys
sys.path.insert(0, {str(layer_folder)!r})
import importlib.metadata, importlib.util
import lambda_kit, aws_xray_sdk, psycopg, pydantic, pymysql, redis, tenacity, cachetools
from lambda_kit.events import SqsEvent
kit = importlib.metadata.distribution("aws-lambda-kit")
print(kit.version, list(kit.entry_points), SqsEvent.__name__, psycopg.pq.__impl__)
print([name for name in ("_local", "testing", "_tools", "__main__") if importlib.util.find_spec("lambda_kit." + name)])
print(importlib.util.find_spec("botocore"))
"""

    version = importlib.metadata.version("aws-lambda-kit")
    assert [f"{version} [] SqsEvent binary", "[]", "None"] == _run(source).splitlines()


def test_every_record_lists_what_is_there(layer_folder: Path) -> None:
    """
    Each file that a RECORD names is there, with its size and hash; the kit's names every file of the kit.
    """
    listed = set()
    for record in layer_folder.glob("*.dist-info/RECORD"):
        for name, digest, size in csv.reader(record.read_text(encoding="utf-8").splitlines()):
            content = (layer_folder / name).read_bytes()
            is_itself = name == f"{record.parent.name}/RECORD"
            expected = ("", "") if is_itself else (f"sha256={_urlsafe(content)}", str(len(content)))
            assert expected == (digest, size)
            listed.add(name)
    kit = {path.relative_to(layer_folder).as_posix() for path in layer_folder.glob("lambda_kit/**/*") if path.is_file()}

    assert set() == {name for name in kit - listed if not name.endswith(".pyc")}


def test_the_layer_keeps_licences_and_leaves_the_sdk_and_scripts(layer_folder: Path, built_layer: Layer) -> None:
    """
    Licences stay; boto3 and all it is made of come from the runtime; scripts and stubs are dropped.
    """
    assert 1 == len(list(layer_folder.glob("aws_lambda_kit-*.dist-info/licenses/LICENSE")))
    assert not set(SDK) & set(built_layer.packages)
    assert not (layer_folder / "bin").exists()
    assert [] == list(layer_folder.rglob("*.pyi"))
    assert built_layer.left_out > 0


def test_bytecode_is_never_checked_again(layer_folder: Path, built_layer: Layer) -> None:
    """
    Each compiled module carries the flags of an unchecked hash, and the path it has on Lambda.
    """
    compiled = list(layer_folder.rglob("*.pyc"))
    code = marshal.loads((layer_folder / "lambda_kit" / "errors.pyc").read_bytes()[16:])  # noqa: S302 - written by the build under test

    assert built_layer.bytecode == len(compiled) > 100
    assert {1} == {int.from_bytes(path.read_bytes()[4:8], "little") for path in compiled}
    assert "/opt/python/lambda_kit/errors.py" == code.co_filename


def test_the_zip_has_fixed_dates_modes_and_order(built_layer: Layer) -> None:
    """
    Nothing of the machine or the moment is in the zip's directory.
    """
    with zipfile.ZipFile(built_layer.path) as archive:
        entries = archive.infolist()

    assert sorted(entry.filename for entry in entries) == [entry.filename for entry in entries]
    assert {((1980, 1, 1, 0, 0, 0), 0o100644, 3)} == {
        (entry.date_time, entry.external_attr >> 16, entry.create_system) for entry in entries
    }
    assert {"python"} == {entry.filename.partition("/")[0] for entry in entries}


def test_the_kit_s_layer_is_small(built_layer: Layer) -> None:
    """
    Everything the runtime lacks, drivers and bytecode included, is a download of a fraction of a second, as the page about it says.
    """
    assert built_layer.zip_bytes == built_layer.path.stat().st_size < 9_500_000


def test_bytecode_alone_runs_as_modules_do(tmp_path: Path) -> None:
    """
    Without source and docstrings a module does the same; an error still names file, line and function. Templates stay.
    """
    for mode in ("both", "bytecode"):
        talk = tmp_path / mode / "talk"
        talk.mkdir(parents=True)
        (talk / "__init__.py").write_text(_TALK)
        (talk / "template.py").write_text("class {{ name }}: ...")
        compile_tree(str(talk.parent), "/opt/python", without_source=mode == "bytecode")

    names = {mode: sorted(path.name for path in (tmp_path / mode / "talk").rglob("*") if path.is_file()) for mode in ("both", "bytecode")}
    cached = f"__init__.{sys.implementation.cache_tag}.pyc"
    assert {"both": [cached, "__init__.py", "template.py"], "bytecode": ["__init__.pyc", "template.py"]} == names
    told = {}
    for mode in ("both", "bytecode"):
        source = f"import sys; sys.path.insert(0, {str(tmp_path / mode)!r}); import talk; print(talk.said()); talk.Talk().fail()"
        done = subprocess.run([sys.executable, "-I", "-S", "-c", source], capture_output=True, text=True, check=False)
        told[mode] = [done.stdout, *re.findall(r"talk/__init__.py\", (line .*)", done.stderr)]
    frame = "line 13, in fail"
    assert {"both": ["['Module.', 'Class.', 'Method.', 'Empty.']\n", frame], "bytecode": ["[None, None, None, None]\n", frame]} == told


def test_a_layer_keeps_its_source_where_the_plan_says_so(shop: Shop) -> None:
    """
    ``source = "include"``, which is the default, packs modules beside their bytecode; ``exclude`` the bytecode alone.
    """
    shop.add("talk", files={"talk/__init__.py": _TALK.encode()})
    names = {}
    for keys in ({}, {"source": "exclude"}):
        built = build_layer(shop.plan(**keys), out=shop.folder / "out.zip", wheels=shop.wheels)
        with zipfile.ZipFile(built.path) as archive:
            names[keys.get("source")] = [name for name in archive.namelist() if "/talk/" in name]
            record = archive.read("python/talk-1.0.dist-info/RECORD").decode()

    cached = f"python/talk/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    assert {None: ["python/talk/__init__.py", cached], "exclude": ["python/talk/__init__.pyc"]} == names
    assert "talk/__init__.py" not in record


def test_check_accepts_the_same_and_refuses_a_different_layer(shop: Shop) -> None:
    """
    ``check`` compares contents and writes nothing.
    """
    first = shop.build()
    written = first.path.read_bytes()

    assert first == _check(shop)
    shop.add("cachetools", files={"cachetools.py": b"changed = True"})
    with pytest.raises(LayerError, match="build it again"):
        _check(shop)
    assert written == first.path.read_bytes()


@pytest.mark.parametrize("content", [None, b"no zip"], ids=["missing", "broken"])
def test_check_says_when_there_is_nothing_to_compare(shop: Shop, content: bytes | None) -> None:
    """
    A zip that is not there, or is none, cannot be compared with.
    """
    if content is not None:
        (shop.folder / "out.zip").write_bytes(content)

    with pytest.raises(LayerError, match="cannot read the layer"):
        _check(shop)


def test_the_sdk_is_left_to_the_runtime(shop: Shop) -> None:
    """
    Pinned packages of the SDK are neither fetched nor packed; what is pinned beside them is.
    """
    shop.add("lonely-package")
    for name in ("botocore", "urllib3"):
        shop.pin(name)

    built = shop.build()

    assert ("botocore", "urllib3") == built.left_to_runtime
    assert ["aws-lambda-kit", "cachetools", "lonely-package", "tenacity"] == list(built.packages)


def test_a_whole_sdk_can_be_packed(shop: Shop) -> None:
    """
    ``sdk = "include"`` packs boto3 with all it needs, and the extra that needs it is content.
    """
    for name in SDK:
        shop.add(name)

    built = shop.build(sdk="include", extras=["aws"])

    assert set(SDK) < set(built.packages)
    assert () == built.left_to_runtime


def test_a_part_of_the_sdk_is_refused(shop: Shop) -> None:
    """
    A layer with urllib3 and without botocore would shadow a part of the runtime's.
    """
    shop.add("urllib3")

    with pytest.raises(LayerError, match="part of the SDK, without boto3, botocore, s3transfer, jmespath, python-dateutil, six: pin all"):
        shop.build(sdk="include")


def test_files_can_be_left_out_but_not_metadata(shop: Shop) -> None:
    """
    Patterns drop files, and the RECORD forgets them; no pattern reaches a dist-info.
    """
    shop.add(
        "talkative",
        files={"talkative/__init__.py": b"", "talkative/tests/test_it.py": b"", "talkative-1.0.data/scripts/talk": b"#!python\n"},
    )

    built = shop.build(leave_out=["talkative/tests/*", "*METADATA"])

    with zipfile.ZipFile(built.path) as archive:
        names = [name for name in archive.namelist() if "talk" in name]
        record = archive.read("python/talkative-1.0.dist-info/RECORD").decode()
    assert 1 == built.left_out
    assert ["INSTALLER", "METADATA", "RECORD", "REQUESTED", "WHEEL", "__init__.py"] == [name.rpartition("/")[2] for name in names]
    assert "tests" not in record
    assert "bin/" not in record


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        (
            lambda shop: shop.add("compiled", tag="cp39-cp39-manylinux2014_x86_64"),
            r"(?s)for Python .* on .*: pin versions that have wheels for it\n.*compiled",
        ),
        (lambda shop: shop.pin("absent"), r"(?s)pin versions that have wheels.*absent"),
        (lambda shop: shop.add("swapped", hashed=b"another"), r"(?si)hash.*swapped|swapped.*hash"),
        (lambda shop: shop.pins.update(loose="loose>=1"), "'loose>=1' is not a version pinned with hashes"),
        (lambda shop: shop.pins.update(bare="bare==1.0"), "'bare==1.0' is not a version pinned with hashes"),
        (lambda shop: shop.pins.update(more="-r more.txt"), "'-r' is not a version pinned with hashes"),
        (lambda shop: shop.pins.pop("tenacity"), "tenacity is not pinned, but the kit needs it"),
    ],
    ids=["no wheel", "no package", "wrong hash", "no version", "no hash", "option", "needed by the kit"],
)
def test_packages_that_cannot_be_packed_are_named(shop: Shop, prepare: object, message: str) -> None:
    """
    The error names the package or the line, and says what to do.
    """
    assert callable(prepare)
    prepare(shop)

    with pytest.raises(LayerError, match=message):
        shop.build()
    assert not (shop.folder / "out.zip").exists()


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"name": None}, "'name' is missing"),
        ({"name": ""}, "'name' must be a string"),
        ({"color": "blue"}, "unknown key 'color'; known are name, requirements"),
        ({"python": "3.13"}, "'python' must be a list of strings"),
        ({"python": [3.13]}, "'python' must be a list of strings"),
        ({"python": []}, "'python' is empty; possible are 3.11, 3.12"),
        ({"arch": ["sparc"]}, "'arch' is sparc; possible are x86_64, arm64"),
        ({"sdk": "some"}, "'sdk' is some; possible are exclude, include"),
        ({"source": "none"}, "'source' is none; possible are exclude, include"),
        ({"requirements": "gone.txt"}, r"cannot read the layer's requirements .*gone\.txt: No such file"),
        ({"extras": ["flying"]}, "the kit has no extra 'flying'; it has all, aws, events"),
        ({"extras": ["events"]}, "pydantic is not pinned, but its extra 'events' needs it"),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else "",
)
def test_a_wrong_plan_says_what_is_wrong(shop: Shop, keys: dict[str, object], message: str) -> None:
    """
    Each mistake in ``layer.toml`` is named with what would be right.
    """
    with pytest.raises(LayerError, match=message):
        shop.build(**keys)


def test_a_plan_that_cannot_be_read_says_so(tmp_path: Path) -> None:
    """
    A missing file and a file that is not TOML are told apart.
    """
    with pytest.raises(LayerError, match=r"cannot read the layer's plan .*: No such file or directory; --config names another one"):
        read_plan(tmp_path / "layer.toml")
    (tmp_path / "layer.toml").write_text("name =", encoding="utf-8")
    with pytest.raises(LayerError, match="is not TOML"):
        read_plan(tmp_path / "layer.toml")


def test_only_planned_targets_are_built(shop: Shop) -> None:
    """
    A target that the plan does not name is refused, as nobody has pinned for it.
    """
    with pytest.raises(LayerError, match=r"not planned for python '3\.10'"):
        build_layer(shop.plan(), python="3.10")


def test_libraries_for_another_machine_are_refused(tmp_path: Path) -> None:
    """
    The processor is read from the library itself, the Python from its name.
    """
    arm = b"\x7fELF" + bytes(14) + (183).to_bytes(2, "little")
    (tmp_path / "native.cpython-312-aarch64-linux-gnu.so").write_bytes(arm)

    assert {} == check_tree(tmp_path, Target("3.12", "arm64"))
    with pytest.raises(LayerError, match=r"native\.cpython-312\S+ is for another processor than Python 3\.12 on x86_64"):
        check_tree(tmp_path, Target("3.12", "x86_64"))
    with pytest.raises(LayerError, match=r"native\.cpython-312\S+ is for another Python than Python 3\.13 on arm64"):
        check_tree(tmp_path, Target("3.13", "arm64"))


def test_a_layer_beyond_lambda_s_limit_is_refused(tmp_path: Path) -> None:
    """
    More than 250 MB unzipped cannot be deployed, so it is not built.
    """
    with (tmp_path / "large").open("wb") as file:
        file.truncate(251 * 1024 * 1024)

    with pytest.raises(LayerError, match="has 251 MB unzipped; Lambda takes 250 MB"):
        tree_files(tmp_path)


def test_an_interpreter_that_does_not_start_is_an_error(tmp_path: Path) -> None:
    """
    A layer that was to have bytecode is not built without it in silence.
    """
    (tmp_path / "module.py").write_text("", encoding="utf-8")

    with pytest.raises(LayerError, match="compiled nothing for"):
        compile_bytecode(tmp_path, _HERE, "/bin/false")


def test_the_interpreter_is_of_the_target_s_version() -> None:
    """
    This interpreter serves its own version, another is looked for, and there may be none.
    """
    assert sys.executable == interpreter_for(_HERE)
    assert interpreter_for(Target("3.99", "x86_64")) is None


def test_a_kit_that_is_not_installed_cannot_be_packed(tmp_path: Path) -> None:
    """
    Without metadata nothing says what the kit needs, and the error says how to get it.
    """
    with pytest.raises(LayerError, match="kit-of-nobody is not installed in this environment: pip install --no-deps -e <its folder>"):
        install_kit(tmp_path, "kit-of-nobody")


def test_the_command_prints_what_it_built(shop: Shop) -> None:
    """
    The hash, the sizes, the packages and what is missing are on standard output.
    """
    folder = str(shop.folder / "wheels")
    arguments = ["build", "--config", str(shop.plan()), "--out", str(shop.folder / "out.zip"), "--find-links", folder, "--no-index"]

    done = CliRunner().invoke(layer_app, arguments)
    checked = CliRunner().invoke(layer_app, [*arguments, "--check"])

    assert (0, 0) == (done.exit_code, checked.exit_code)
    assert done.output == checked.output
    assert re.search(r"content sha256   [0-9a-f]{64}\n", done.output)
    assert re.search(r"packages         aws-lambda-kit \S+, cachetools 1\.0, tenacity 1\.0\n", done.output)
    assert re.search(r"bytecode         \d+ modules\n", done.output)


def test_the_command_fails_with_the_reason(tmp_path: Path) -> None:
    """
    A layer that cannot be built is exit code 1 and one line on standard error.
    """
    done = CliRunner().invoke(layer_app, ["build", "--config", str(tmp_path / "layer.toml")])

    assert 1 == done.exit_code
    assert done.stderr.startswith("error: cannot read the layer's plan ")


def test_a_layer_without_bytecode_says_so(shop: Shop) -> None:
    """
    Nobody shall wonder why cold starts are slow.
    """
    built = shop.build()

    assert 0 == built.bytecode
    assert f"  bytecode         none: no Python {_HERE.python} was found here to compile with" == description(built)[-1]


def _check(shop: Shop) -> Layer:
    return build_layer(shop.plan(), out=shop.folder / "out.zip", check=True, wheels=shop.wheels, find_interpreter=lambda _: None)


def _run(source: str) -> str:
    """
    Run *source* in a Python that sees the standard library only.
    """
    done = subprocess.run([sys.executable, "-I", "-S", "-B", "-c", source], capture_output=True, text=True, check=False)
    assert "" == done.stderr
    return done.stdout


def _urlsafe(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
