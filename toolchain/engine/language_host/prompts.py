"""What `pulumi new` asks about Python before a project exists."""

from __future__ import annotations

import shutil
from typing import Any

from . import options
from .options import TOOLCHAINS
from .protocol import language_pb2

_Prompt = language_pb2.RuntimeOptionPrompt


def _choice(text: str, shown: str = "") -> Any:
    return _Prompt.RuntimeOptionValue(promptType=_Prompt.STRING, stringValue=text, displayName=shown or text)


def prompts(info: Any, path: str | None) -> list[Any]:
    """Return the question that is still open: the toolchain, then the virtual environment of pip."""
    if "toolchain" not in info.options.fields:
        choices = [
            _choice(name, name if shutil.which(name, path=path) else f"{name} (not on PATH)") for name in TOOLCHAINS
        ]
        question = "The toolchain to use for installing dependencies and running the program"
        return [
            _Prompt(
                key="toolchain",
                description=question,
                promptType=_Prompt.STRING,
                choices=choices,
                default=_choice("pip"),
            )
        ]
    chosen = options.read(info)
    if chosen.toolchain == "pip" and not chosen.virtualenv:
        question = "The virtual environment to use"
        venv = _choice("venv")
        return [
            _Prompt(key="virtualenv", description=question, promptType=_Prompt.STRING, choices=[venv], default=venv)
        ]
    return []
