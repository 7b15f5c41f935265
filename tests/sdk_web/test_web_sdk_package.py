"""What is published: small enough, complete, typed, and its own tests pass."""

import gzip
import json
import re
import subprocess
from pathlib import Path

import pytest

LIMIT = 4000  # bytes in gzip

MISTAKES = """
import { OwlsignalClient, type Details, type Options } from "@saastracker/web";
import { identify, type Company, type TagOptions, type User } from "@saastracker/web/tag";

// @ts-expect-error the build is required
OwlsignalClient.Initialize({ apiKey: "pk_live_x" });
// @ts-expect-error a value is a number
OwlsignalClient.TrackResource("Source:Coins", { value: "50" });
// @ts-expect-error an id is no object
identify({ id: {} });
"""


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("file", ["index.js", "tag.js", "owlsignal.global.js", "tag.global.js"])
def test_each_bundle_is_small_and_needs_nothing(package: Path, file: str) -> None:
    bundle = (package / "dist" / file).read_bytes()
    assert len(gzip.compress(bundle, 9)) < LIMIT
    assert b"import" not in bundle
    assert b"require(" not in bundle


def test_its_own_tests_pass(package: Path) -> None:
    told = run("npm", "test", cwd=package)
    assert "# fail 0\n" in told
    assert "# pass 0\n" not in told


def test_the_packed_package_is_whole_and_typed(package: Path, tmp_path: Path) -> None:
    [packed] = json.loads(run("npm", "pack", "--json", "--ignore-scripts", "--pack-destination", tmp_path, cwd=package))
    files = {file["path"] for file in packed["files"]}
    wanted = {"LICENSE", "README.md", "package.json", "dist/types/index.d.ts", "dist/types/tag.d.ts", "src/queue.ts"}
    assert wanted | {f"dist/{name}" for name in ("index.js", "tag.js", "owlsignal.global.js", "tag.global.js")} <= files
    assert not any(name.startswith(("node_modules", "test", "build")) for name in files)

    home = tmp_path / "node_modules" / "@saastracker" / "web"
    home.mkdir(parents=True)
    run("tar", "xzf", packed["filename"], "--strip-components=1", "-C", home, cwd=tmp_path)
    examples = re.findall(r"```ts\n(.+?)```", (package / "README.md").read_text(), re.DOTALL)
    programs = {f"program{number}.ts": text for number, text in enumerate([*examples, MISTAKES])}
    for name, text in programs.items():
        (tmp_path / name).write_text(text)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    options = ("--strict", "--noEmit", "--skipLibCheck", "false", "--module", "nodenext", "--lib", "es2022,dom")
    run(package / "node_modules" / ".bin" / "tsc", *options, *programs, cwd=tmp_path)
    code = 'import("@saastracker/web").then((web) => console.log(Object.keys(web.OwlsignalClient).sort().join()))'
    exported = "IdentifyUser,Initialize,SetOptOut,TrackDesign,TrackError,TrackProgression,TrackResource"
    assert run("node", "--input-type=module", "-e", code, cwd=tmp_path) == f"{exported}\n"
