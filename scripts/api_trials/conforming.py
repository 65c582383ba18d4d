"""Schemathesis in an environment of its own, against a description and a running daemon."""

import json
import os
import subprocess
import sys
import venv
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api_trials.calls import NAMESPACE
from bench.api import CLIENT, CLIENT_SECRET
from bench.daemon import PROJECT

ENVIRONMENT = PROJECT / ".cache" / "conformance-venv"
REQUIREMENTS = Path(__file__).with_name("conformance-requirements.txt")
MOST_S = 150
"""For fuzzing and stateful testing; examples and coverage before them take what they take."""

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Description:
    """An API's description, and how it is to be held against a daemon.

    Attributes:
        name: for files.
        document: the description.
        path: below the daemon's address, where its paths begin.
        access: how it comes by its token, as schemathesis is configured.
        is_version_2: whether it is Swagger 2.0.
    """

    name: str
    document: Document
    path: str
    access: str
    is_version_2: bool

    def prepared(self, seeds: Mapping[str, str]) -> "Description":
        """The same for this very daemon: its one namespace, and as each call's example an id that is there.

        Without that nearly every call would be 403 or 404, and nothing behind them be looked at.
        """
        document: Document = json.loads(json.dumps(self.document))
        for path, operations in document["paths"].items():
            place = path.removeprefix("/v2").partition("{id}")[0]
            for operation in operations.values():
                for parameter in operation.get("parameters", ()):
                    schema = parameter if self.is_version_2 else parameter.get("schema")
                    if parameter["name"] == "namespace":
                        schema.pop("pattern", None)
                        schema["enum"] = [NAMESPACE]
                    elif parameter["name"] == "id" and place in seeds:
                        parameter["x-example" if self.is_version_2 else "example"] = seeds[place]
        return replace(self, document=document)


ACCESS_OF_PUBLISHED = """\
[auth.openapi.Bearer]
api_key = "Bearer ${EDGED_TOKEN}"

# Ours, and held to its description with the others of ours: it would make the token worthless.
[[operations]]
include-name = "DELETE /oauth/token"
enabled = false
"""

# A call of ours makes its own token worthless: then a new one is asked for.
ACCESS_OF_OWN = f"""\
[auth.dynamic.openapi.token]
path = "/v2/oauth/token"
payload = {{ clientId = "{CLIENT}", clientSecret = "${{EDGED_CLIENT_SECRET}}" }}
extract_selector = "/accessToken"
"""

MANNER = """\
[generation]
# A text with NUL in it is refused, which no pattern of the published description could say.
allow-x00 = false
"""


def schemathesis() -> Path:
    """The program, installed once for what the requirements say."""
    stamp = ENVIRONMENT / "installed"
    wanted = REQUIREMENTS.read_text()
    if not stamp.exists() or stamp.read_text() != wanted:
        print(f"installing schemathesis into {ENVIRONMENT.relative_to(PROJECT)} (once)", flush=True)
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        subprocess.run([*pip, "install", "--requirement", str(REQUIREMENTS)], check=True)
        stamp.write_text(wanted)
    return ENVIRONMENT / "bin" / "schemathesis"


def conforms(description: Description, base: str, token: str, folder: Path, seed: int) -> bool:
    """Run every check of schemathesis; prints what it says."""
    program = schemathesis()
    schema = folder / f"{description.name}.json"
    schema.write_text(json.dumps(description.document))
    config = folder / f"{description.name}.toml"
    config.write_text(f"{MANNER}\n{description.access}")
    report = folder / f"{description.name}-report"
    done = subprocess.run(
        [
            str(program),
            *("--config-file", str(config)),
            *("run", str(schema), "--url", base + description.path),
            *("--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"),
            *("--max-time", str(MOST_S), "--seed", str(seed), "--continue-on-failure"),
            *("--request-timeout", "30", "--report", "ndjson", "--report-dir", str(report)),
        ],
        env={**os.environ, "EDGED_CLIENT_SECRET": CLIENT_SECRET, "EDGED_TOKEN": token},
        cwd=folder,
        stdout=sys.stdout,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.returncode == 0
