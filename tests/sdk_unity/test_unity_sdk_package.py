"""The Unity SDK's folder is what Unity's package manager and its compiler expect."""

import json
import re
from pathlib import Path

import pytest

from tests.sdk_unity.games import PACKAGE, compiled, sources

ROOT = PACKAGE.parents[1]
MANIFEST = json.loads((PACKAGE / "package.json").read_text())
README = (PACKAGE / "README.md").read_text()
SHOWN = re.findall(r"```csharp\n(.*?)```", README, re.DOTALL)
IMPORTERS = {".cs": "Mono", ".asmdef": "AssemblyDefinition", ".md": "TextScript", ".json": "PackageManifest"}


def assets() -> list[Path]:
    """What Unity sees of the package: all but names with ~ or a dot."""
    found = [path for path in PACKAGE.rglob("*") if path.suffix != ".meta"]
    parts = {path: path.relative_to(PACKAGE).parts for path in found}
    return [path for path in found if not any(part.endswith("~") or part.startswith(".") for part in parts[path])]


def test_every_asset_has_its_identity() -> None:
    """Packages are read-only: without its .meta file an asset is ignored."""
    found = {path: path.with_name(f"{path.name}.meta").read_text() for path in assets()}
    guids = [re.search(r"^guid: ([0-9a-f]{32})$", text, re.MULTILINE) for text in found.values()]
    assert len({guid[1] for guid in guids if guid}) == len(found)
    for path, text in found.items():
        importer = IMPORTERS.get(path.suffix, "Default")
        assert f"\n{importer}Importer:\n" in text, path
        assert ("\nfolderAsset: yes\n" in text) == path.is_dir()
    metas = {path for path in PACKAGE.rglob("*.meta") if "~" not in str(path.relative_to(PACKAGE))}
    assert metas == {path.with_name(f"{path.name}.meta") for path in found}


def test_the_manifest() -> None:
    assert re.fullmatch(r"com\.[a-z]+\.[a-z]+", MANIFEST["name"])
    version = MANIFEST["version"]
    assert f"## {version}" in (PACKAGE / "CHANGELOG.md").read_text()
    assert f'"saastracker-unity/{version}"' in (PACKAGE / "Runtime" / "Core" / "Sender.cs").read_text()
    for sample in MANIFEST["samples"]:
        assert list((PACKAGE / sample["path"]).glob("*.cs"))
    assert (PACKAGE / "LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_the_core_needs_no_unity(tmp_path: Path) -> None:
    compiled(tmp_path / "core.dll", "-target:library", *sources("Runtime/Core"))


@pytest.mark.parametrize("at", range(len(SHOWN)))
def test_what_the_readme_shows_compiles(tmp_path: Path, at: int) -> None:
    code = SHOWN[at]
    if "class" not in code:
        code = f"using System.Collections.Generic;\nusing Saastracker;\nclass Shown {{ void Run() {{\n{code}}} }}"
    (tmp_path / "Shown.cs").write_text(code)
    program = [str(tmp_path / "Shown.cs"), *sources("Runtime", "Tests~/Stubs")]
    compiled(tmp_path / "shown.dll", "-target:library", *program)
