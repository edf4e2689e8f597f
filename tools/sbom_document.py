# Copyright (c) 2026, trendmicro.cloudone contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Usage: sbom_document.py ENVIRONMENT LOCK ARTEFACT

Write the software bill of materials of a release to standard output: CycloneDX 1.6 in JSON.

ENVIRONMENT is what cyclonedx-py says about an environment with exactly the libraries of LOCK, which has the hashes of their files. What is
missing there is the collection itself: its name, version and licence are taken from ARTEFACT, which also says which libraries it needs.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import tarfile
import typing as t
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?:\s*\\\n\s+--hash=sha256:[0-9a-f]{64})+)", re.MULTILINE)
_REQUIRED = re.compile(r"^([A-Za-z0-9._-]+)", re.MULTILINE)


def normalized(name: str) -> str:
    """Names of packages are the same whatever their case and their separators."""
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_hashes(lock: str) -> dict[tuple[str, str], list[str]]:
    """The SHA-256 sums of the files of each name and version."""
    return {(normalized(name), version): re.findall(r"[0-9a-f]{64}", hashes) for name, version, hashes in _LOCKED.findall(lock)}


def collection(artefact: Path) -> tuple[Component, set[str]]:
    """The collection, and the names of the libraries that it needs."""
    with tarfile.open(artefact) as archive:
        info: dict[str, t.Any] = json.loads(_read(archive, "MANIFEST.json"))["collection_info"]
        required = {normalized(name) for name in _REQUIRED.findall(_read(archive, "requirements.txt"))}
    component = Component(
        type=ComponentType.LIBRARY,
        group=info["namespace"],
        name=info["name"],
        version=info["version"],
        description=info["description"],
        licenses=[LicenseFactory().make_from_string(name) for name in info["license"]],
        hashes=[_sha256(hashlib.sha256(artefact.read_bytes()).hexdigest())],
        external_references=[ExternalReference(type=ExternalReferenceType.VCS, url=XsUri(info["repository"]))],
        bom_ref=f"{info['namespace']}.{info['name']}=={info['version']}",
    )
    return component, required


def document(environment: t.Mapping[str, t.Any], lock: str, artefact: Path) -> str:
    """The bill of materials.

    :raises SystemExit: it does not fit together, or is not what the schema wants.
    """
    bom = Bom.from_json(data=dict(environment))
    hashes, (root, required) = locked_hashes(lock), collection(artefact)
    libraries = {(normalized(library.name), str(library.version)): library for library in bom.components}
    if libraries.keys() != hashes.keys():
        raise SystemExit(f"The environment is not what is locked. They differ in: {sorted(libraries.keys() ^ hashes.keys())}")
    for key, library in libraries.items():
        files = XsUri(str(library.purl))
        library.external_references.add(ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=files, hashes=[_sha256(value) for value in hashes[key]]))
    direct = [library for (name, _version), library in libraries.items() if name in required]
    if len(direct) != len(required):
        raise SystemExit(f"Not all of {sorted(required)} are locked.")
    bom.metadata.component = root
    bom.register_dependency(root, direct)
    text = JsonV1Dot6(bom).output_as_string(indent=2)
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if problem is not None:
        raise SystemExit(f"The bill of materials is not valid: {problem}")
    return text


def _sha256(value: str) -> HashType:
    return HashType(alg=HashAlgorithm.SHA_256, content=value)


def _read(archive: tarfile.TarFile, name: str) -> str:
    file = archive.extractfile(name)
    assert file is not None
    return file.read().decode()


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    print(document(json.loads(given[0].read_text(encoding="utf-8")), given[1].read_text(encoding="utf-8"), given[2]))
