"""The shape the architecture promises: folders, map, contracts, sizes, imports."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import intel_ml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "intel_ml"
TOP = {
    "pyproject.toml",
    "notebooks",
    "src",
    "models",
    "pipelines",
    "serving",
    "mlruns",
    "tests",
    "benchmarks",
    "docs",
    "Makefile",
    "requirements.lock",
    "requirements-dev.lock",
    "requirements-spark.lock",
    "README.md",
}
CODE = sorted(
    path
    for folder in (
        PACKAGE,
        ROOT / "pipelines",
        ROOT / "serving",
        ROOT / "benchmarks",
        ROOT / "tests",
    )
    for path in folder.rglob("*.py")
)


def stages_on_disk() -> list[str]:
    return sorted(p.name for p in PACKAGE.iterdir() if (p / "__init__.py").exists())


def test_folders_map_and_contract_name_the_same_stages_in_the_same_order():
    doc = intel_ml.__doc__ or ""
    in_map = [line.split()[0] for line in doc.splitlines()[2:] if line.strip()]
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    in_contract = list(reversed(contracts[0]["layers"]))
    assert in_map == in_contract
    assert sorted(in_map) == stages_on_disk()


def test_a_stage_sorts_where_the_flow_passes_it():
    order = [line.split()[0] for line in (intel_ml.__doc__ or "").splitlines()[2:] if line.strip()]
    assert order == sorted(order)


def test_the_top_level_is_as_promised():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.splitlines()
    if not tracked:
        pytest.skip("not a git checkout: what is tracked cannot be listed")
    top = {name.split("/")[0] for name in tracked if not name.startswith(".")}
    assert top == TOP


def test_no_contract_has_an_exception():
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
        "contracts"
    ]
    assert not [c["name"] for c in contracts if "ignore_imports" in c]


@pytest.mark.parametrize("path", CODE, ids=lambda p: str(p.relative_to(ROOT)))
def test_no_module_is_longer_than_400_lines(path: Path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_a_module_says_what_it_is(path: Path):
    doc = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))
    assert doc
    assert doc.splitlines()[0].endswith((".", ":", "?"))


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: str(p.relative_to(PACKAGE))
)
def test_no_module_has_a_name_that_says_nothing(path: Path):
    assert path.stem not in {"utils", "util", "helpers", "helper", "common", "manager", "misc"}


def test_only_the_doors_read_the_environment():
    readers = [
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        if "surfaces" not in path.parts and _reads_environment(path)
    ]
    assert readers == []


def _reads_environment(path: Path) -> bool:
    """Tell whether a module asks `os` for a variable; handing some to a vendor is another thing."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    text = {ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.expr)}
    asks = ("os.environ[", "os.environ.get", "os.getenv", "os.environ.items", "os.environ.copy")
    return any(one.startswith(asks) for one in text)


@pytest.mark.parametrize("stage", ["core", "features", "intelligence", "judgement"])
def test_importing_a_thinking_stage_loads_nothing_that_can_act_or_store(stage: str):
    modules = [
        ".".join(path.relative_to(PACKAGE.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted((PACKAGE / stage).rglob("*.py"))
    ]
    program = (
        "import sys, importlib\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        "bad = ['sqlalchemy', 'mlflow', 'gradio', 'bentoml', 'papermill', 'intel_ml.operations']\n"
        "print([n for n in sys.modules if any(n == b or n.startswith(b + '.') for b in bad)])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_import_contracts_hold():
    done = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:]


def test_the_locks_are_exact_and_name_no_host():
    for name in ("requirements.lock", "requirements-dev.lock", "requirements-spark.lock"):
        lines = (ROOT / name).read_text().splitlines()
        assert not [line for line in lines if "://" in line or line.startswith("--index")]
        packages = [line for line in lines if line and not line.startswith((" ", "#"))]
        assert packages
        assert all("==" in line for line in packages)
