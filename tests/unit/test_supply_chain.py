# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the collection is made of: the locked libraries, and the bill of materials that a release comes with."""

from __future__ import annotations

import io
import json
import re
import runpy
import tarfile
import typing as t
from pathlib import Path

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
LOCK = (ROOT / "requirements.lock").read_text(encoding="utf-8")
REQUIREMENTS = [Requirement(line) for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines() if not line.startswith("#")]


def locked() -> dict[str, str]:
    """The version of each locked library."""
    return dict(re.findall(r"^([A-Za-z0-9._-]+)==(\S+) \\$", LOCK, re.MULTILINE))


def test_everything_needed_is_locked_with_hashes() -> None:
    versions = locked()
    for requirement in REQUIREMENTS:
        assert requirement.specifier.contains(Version(versions[requirement.name])), requirement
    entries = re.split(r"\n(?=[A-Za-z0-9])", re.sub(r"^ *#.*\n", "", LOCK, flags=re.MULTILINE).strip())
    assert len(entries) == len(versions)
    for entry in entries:
        assert re.fullmatch(r"\S+==\S+( \\\n +--hash=sha256:[0-9a-f]{64})+", entry), entry


def make_artefact(folder: Path, requirements: str = "# Needed.\nboto3>=1.28.0\nparamiko>=3.4\nrequests>=2.28\n") -> Path:
    """As much of an artefact as the document looks at."""
    path = folder / "trendmicro-cloudone-1.2.3.tar.gz"
    info = {"namespace": "trendmicro", "name": "cloudone", "version": "1.2.3", "description": "x", "license": ["GPL-3.0-or-later"]}
    manifest = json.dumps({"collection_info": {**info, "repository": "https://example.com/repository"}})
    with tarfile.open(path, "w:gz") as archive:
        for name, text in (("MANIFEST.json", manifest), ("requirements.txt", requirements)):
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return path


def write(libraries: t.Mapping[str, str], artefact: Path) -> str:
    """The document for an environment with these libraries."""
    components = [
        {"type": "library", "name": name, "version": version, "purl": f"pkg:pypi/{name}@{version}", "bom-ref": f"{name}=={version}"}
        for name, version in libraries.items()
    ]
    environment = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1, "components": components}
    return t.cast(str, runpy.run_path(str(ROOT / "tools" / "sbom_document.py"))["document"](environment, LOCK, artefact))


def test_the_bill_of_materials_names_the_collection_and_all_that_it_needs(tmp_path: Path) -> None:
    text = write(locked(), make_artefact(tmp_path))
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    document = json.loads(text)
    root = document["metadata"]["component"]
    assert (root["group"], root["name"], root["version"]) == ("trendmicro", "cloudone", "1.2.3")
    assert root["licenses"] == [{"license": {"id": "GPL-3.0-or-later"}}]
    assert {component["name"]: component["version"] for component in document["components"]} == locked()
    [needed] = [entry["dependsOn"] for entry in document["dependencies"] if entry["ref"] == root["bom-ref"]]
    assert {ref.partition("==")[0] for ref in needed} == {requirement.name for requirement in REQUIREMENTS}
    for component in document["components"]:
        [files] = [reference for reference in component["externalReferences"] if reference["type"] == "distribution"]
        assert all(len(one["content"]) == 64 for one in files["hashes"])


def test_an_environment_that_is_not_the_locked_one_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="not what is locked.*requests"):
        write(locked() | {"requests": "1.0"}, make_artefact(tmp_path))


def test_a_library_that_is_not_locked_is_missed(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="Not all of .*something-else.* are locked"):
        write(locked(), make_artefact(tmp_path, "boto3\nsomething-else\n"))
