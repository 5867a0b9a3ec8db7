"""No secret in the tree: every tracked file is read; `config/credentials.yaml` holds references only."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from automation.integrity.findings import Findings
from stacks.plaintext import secret_form

CREDENTIALS: Final = Path("config/credentials.yaml")
LARGEST_BYTES: Final = 2_000_000
HARD_FORMS: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY|\b(AKIA|ASIA)[A-Z2-7]{16}\b|\bAIza[0-9A-Za-z_-]{35}|\bgh[pousr]_[0-9A-Za-z]{36,}"
    r"|\bgithub_pat_[0-9A-Za-z_]{30,}|\bglpat-[0-9A-Za-z_-]{20,}|\bxox[abprs]-[0-9A-Za-z-]{10,}|\bpul-[0-9a-f]{40}\b"
    r"|\bhvs\.[0-9A-Za-z_-]{20,}|\bSG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}|AGE-SECRET-KEY-1[0-9A-Z]{20,}"
    r"|\beyJ[0-9A-Za-z_-]{8,}\.eyJ[0-9A-Za-z_-]{8,}\.|ecosystem-private-keys/1\"[^\n]*\n[^\n]*\"owner"
)
"""Forms that are never anything else; softer ones are judged in configuration only, where words are few."""
EXAMPLES: Final = ("tests/", "policies/charter/cases/")
"""Where examples of secrets are needed to show that they are found; they are counted, not hidden."""


class Credential(BaseModel):
    """One reference; the value itself never stands here and is never shown."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    kind: Literal["oidc", "env", "file", "vault", "aws-secret", "gcp-secret", "azure-secret"]
    reference: Annotated[str, Field(min_length=1, max_length=200)]
    used_by: tuple[str, ...] = ()
    rotate_days: Annotated[int, Field(ge=1, le=1000)] | None = None

    def __repr__(self) -> str:
        return f"Credential({self.kind})"

    @model_validator(mode="after")
    def _is_a_reference(self) -> Self:
        forms = {
            "oidc": r"vars:[A-Z][A-Z0-9_]*",
            "env": r"[A-Z][A-Z0-9_]{2,60}",
            "file": r"[~/][\w./~-]+",
            "vault": r"[a-z][\w/-]*#[\w-]+",
            "aws-secret": r"arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:[\w/+=.@-]+",
            "gcp-secret": r"projects/[\w-]+/secrets/[\w-]+(/versions/\w+)?",
            "azure-secret": r"https://[\w-]+\.vault\.azure\.net/secrets/[\w-]+",
        }
        if not re.fullmatch(forms[self.kind], self.reference):
            raise ValueError(f"is no {self.kind} reference (form {forms[self.kind]}): a value is never written here")
        if self.kind not in {"oidc", "aws-secret"} and HARD_FORMS.search(self.reference):
            raise ValueError("looks like a secret itself: store it and refer to it")
        if self.kind == "env" and re.fullmatch(r"(AKIA|ASIA)[A-Z2-7]{16}", self.reference):
            raise ValueError("looks like a secret itself: store it and refer to it")
        return self


class Credentials(BaseModel):
    """The file."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    credentials: dict[str, Credential]


def credentials(path: Path) -> Findings:
    """Judge a credentials file; what it says is never repeated."""
    found = Findings(checked=[path.name])
    try:
        data: Any = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        Credentials.model_validate(data)
    except ValidationError as error:
        for one in error.errors(include_input=False, include_context=False):
            found.problems.append(f"{path.name}: {'.'.join(map(str, one['loc']))}: {one['msg']}")
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        found.problems.append(f"{path.name}: cannot be read as YAML ({type(error).__name__})")
    return found


def tracked(project: Path) -> list[Path] | None:
    """Files that git knows, and new ones it would take; nothing outside of git."""
    asked = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of the user's PATH
        cwd=project,
        capture_output=True,
        check=False,
    )
    if asked.returncode:
        return None
    names = [name.decode("utf-8", "surrogateescape") for name in asked.stdout.split(b"\0") if name]
    return [project / name for name in sorted(set(names))]


def tree(project: Path) -> Findings:
    """Read every file; a finding names file, line and kind, never the text."""
    found = Findings(checked=["tracked files"])
    files = tracked(project)
    if files is None:
        found.unchecked.append("not a git checkout: all files below were read instead")
        files = [path for path in sorted(project.rglob("*")) if path.is_file()]
    examples = 0
    for path in files:
        if not path.is_file() or path.is_symlink():
            continue
        name = path.relative_to(project).as_posix()
        if path.stat().st_size > LARGEST_BYTES:
            found.unchecked.append(f"{name}: larger than {LARGEST_BYTES} bytes")
            continue
        text = path.read_bytes().decode("utf-8", "ignore")
        for match in HARD_FORMS.finditer(text):
            if name.startswith(EXAMPLES) or match[0].endswith("EXAMPLE"):
                examples += 1
                continue
            line = text.count("\n", 0, match.start()) + 1
            kind = secret_form(match[0]) or "a secret"
            found.problems.append(f"{name}:{line}: {kind}: revoke it, take it out of the history, refer to it instead")
    if examples:
        found.unchecked.append(f"{examples} examples of secrets: in {', '.join(EXAMPLES)} or ending in EXAMPLE")
    return found
