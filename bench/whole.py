"""Figures of whole commands: `python -m automation` on each stack, and the plain CLI against the flat program."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psutil
import yaml

from bench.alone import NAIVE, THOUSAND
from bench.figure import Figure, rounded
from bench.program import PROJECT, SHIM

STACKS: Final = ("dev", "staging", "prod", "dr")
SECONDS: Final[Mapping[str, str]] = {"preview-dev": "<= 15", "preview-prod": "<= 40", "rehearse-prod": "<= 360"}
EVERY: Final = 0.25  # seconds between two looks at the processes
CLI_TIMES: Final = 2  # previews of a thousand resources take a minute each
LIMIT: Final = 1200  # seconds after which a command is ended
MB: Final = 1 << 20


@dataclass(frozen=True)
class Used:
    """What a command and everything below it used."""

    code: int
    wall: float  # seconds
    cpu: float  # seconds
    peak: float  # MB, sum of the tree
    program: float  # MB, peak of the Pulumi program's process
    said: str

    def checked(self, code: int = 0) -> Used:
        """Return it, or raise RuntimeError with its last words."""
        if self.code != code:
            lines = [line.strip() for line in self.said.splitlines()]
            errors = [line for line in lines if "error" in line.lower()] or lines
            raise RuntimeError(f"ended with {self.code} instead of {code}: {'; '.join(errors)[-1500:]}")
        return self


def used(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> Used:
    """Run a command and watch its process tree; processes younger than a quarter second count through their parents."""
    with tempfile.TemporaryFile() as words:
        start = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=folder, stdout=words, stderr=words, stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(PROJECT), "ECOSYSTEM_PLANS": "off", **(environment or {})},
        )  # fmt: skip
        spent: dict[tuple[int, float], float] = {}
        peak = program = 0.0
        while True:
            tree = list(_tree(process.pid))
            spent |= {key: cpu for key, cpu, _, _ in tree}
            peak = max(peak, sum(size for _, _, size, _ in tree))
            program = max([program, *(size for _, _, size, is_program in tree if is_program)])
            ended, status, usage = os.wait4(process.pid, os.WNOHANG)
            if ended:
                break
            if time.perf_counter() - start > LIMIT:
                process.terminate()
            time.sleep(EVERY)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        said = words.read().decode(errors="replace")
    cpu = max(sum(spent.values()), usage.ru_utime + usage.ru_stime)
    return Used(process.returncode, wall, cpu, peak / MB, program / MB, said)


def _tree(root: int) -> Iterator[tuple[tuple[int, float], float, float, bool]]:
    try:
        parent = psutil.Process(root)
        processes = [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return
    for one in processes:
        try:
            with one.oneshot():
                times = one.cpu_times()
                is_program = any(SHIM in word for word in one.cmdline())
                yield (one.pid, one.create_time()), times.user + times.system, float(one.memory_info().rss), is_program
        except psutil.Error:
            continue


@contextmanager
def project(main: Path, **files: str) -> Iterator[Path]:
    """Make a project of its own around a program: stack files by name, nothing of it shared with other runs."""
    with tempfile.TemporaryDirectory(prefix="bench-project-") as name:
        folder = Path(name)
        settings = yaml.safe_load((PROJECT / "Pulumi.yaml").read_text())
        settings["main"] = str(main)
        settings["runtime"]["options"]["virtualenv"] = sys.prefix
        (folder / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        for shared in ("policies", ".venv"):
            (folder / shared).symlink_to(PROJECT / shared)
        for stack, text in files.items():
            (folder / f"Pulumi.{stack}.yaml").write_text(text)
        yield folder


def automation(folder: Path, *arguments: str) -> Used:
    """Run `python -m automation`, offline."""
    return used([sys.executable, "-m", "automation", *arguments, "--offline", "--project", str(folder)], PROJECT)


def _files() -> dict[str, str]:
    return {stack: (PROJECT / f"Pulumi.{stack}.yaml").read_text() for stack in STACKS}


def lives(command: str) -> Iterable[Figure]:
    """Wall, CPU and peak memory of `preview` or `rehearse` of each stack."""
    with project(PROJECT, **_files()) as folder:
        for stack in STACKS:
            name = f"{command}-{stack}"
            try:
                run = automation(folder, command, stack).checked()
            except RuntimeError as error:
                reason = " ".join(str(error).split())[-300:]
                yield Figure(f"{name}-wall", SECONDS.get(name, ""), None, f"not measured: {reason}")
                continue
            how = f"python -m automation {command} {stack} --offline, one run"
            yield Figure(f"{name}-wall", SECONDS.get(name, ""), rounded(run.wall), f"seconds; {how}")
            yield Figure(f"{name}-cpu", "", rounded(run.cpu), f"CPU seconds of all its processes; {how}")
            yield Figure(f"{name}-memory", "", rounded(run.peak), f"MB, peak of all its processes together; {how}")
            yield Figure(f"{name}-program", "<= 700", rounded(run.program), f"MB, peak of the program; {how}")


def p9() -> Iterable[Figure]:
    """Yield what a wrong stack file costs through automation."""
    good = (PROJECT / "Pulumi.dev.yaml").read_text()
    with project(PROJECT, dev=good, wrong=good.replace("zones: 1", "zones: 9", 1)) as folder:
        right = automation(folder, "preview", "dev").checked()
        wrong = min(automation(folder, "preview", "wrong").checked(2).cpu for _ in range(3))
    how = f"CPU {wrong:.2f} s of `automation preview` with a wrong file / {right.cpu:.2f} s with a good one (dev)"
    yield Figure("P9-automation", "<= 0.10", rounded(wrong / right.cpu), f"{how}; least of 3 / one run")


def p10() -> Iterable[Figure]:
    """Yield `pulumi preview` of our program against the flat one, and against Terraform where it is."""
    from sandbox.server import Sandbox  # noqa: PLC0415 - other rooms' building blocks load where they are used
    from toolchain.engine import locate  # noqa: PLC0415

    terraform = shutil.which("terraform")
    runs: dict[str, list[Used]] = {"naive": [], "ours": [], "terraform": []}
    with (
        tempfile.TemporaryDirectory(prefix="bench-state-") as name,
        Sandbox(Path(name, "clouds")) as clouds,
        project(NAIVE, naive="config: {}\n") as flat,
        project(PROJECT, ours=THOUSAND.read_text()) as own,
    ):
        Path(name, "backend").mkdir()
        environment = {
            **clouds.environment,
            "PATH": os.pathsep.join((str(locate()), os.environ.get("PATH", os.defpath))),
            "PULUMI_BACKEND_URL": f"file://{name}/backend",
            "PULUMI_CONFIG_PASSPHRASE": "bench",
            "PULUMI_HOME": f"{name}/home",
        }
        jobs = {stack: (folder, ["pulumi", "preview", "--stack", stack, "--non-interactive"]) for stack, folder in
                (("naive", flat), ("ours", own))}  # fmt: skip
        for stack, (folder, _) in jobs.items():
            used(["pulumi", "stack", "init", stack], folder, environment).checked()
        if terraform is not None:
            jobs["terraform"] = (_thousand(Path(name, "terraform"), terraform), [terraform, "plan", "-input=false"])
        for _ in range(CLI_TIMES):
            for stack, (folder, command) in jobs.items():
                runs[stack].append(used(command, folder, environment).checked())
    cpu = {stack: min((run.cpu for run in some), default=0.0) for stack, some in runs.items()}
    wall = {stack: min((run.wall for run in some), default=0.0) for stack, some in runs.items()}
    yield Figure(
        "P10", "<= 0.6", rounded(cpu["ours"] / cpu["naive"]),
        f"pulumi preview, CPU of all its processes {cpu['ours']:.1f} s / {cpu['naive']:.1f} s of bench/naive; "
        f"wall {wall['ours']:.1f} s / {wall['naive']:.1f} s; least of {CLI_TIMES} runs in turn",
    )  # fmt: skip
    if terraform is None:
        yield Figure("P10-terraform", "<= 4", None, "not measured: no terraform on PATH")
        return
    yield Figure(
        "P10-terraform", "<= 4", rounded(wall["ours"] / wall["terraform"]),
        f"wall {wall['ours']:.1f} s / {wall['terraform']:.1f} s of terraform plan with 1,000 terraform_data (no "
        f"cloud's SDK); CPU {cpu['ours']:.1f} s / {cpu['terraform']:.1f} s; least of {CLI_TIMES} runs in turn",
    )  # fmt: skip


def _thousand(folder: Path, terraform: str) -> Path:
    resources: dict[str, Any] = {f"r{n}": {"input": f"value {n}"} for n in range(1000)}
    folder.mkdir()
    (folder / "main.tf.json").write_text(json.dumps({"resource": {"terraform_data": resources}}))
    used([terraform, "init", "-input=false"], folder).checked()
    return folder
