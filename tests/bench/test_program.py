"""The program behind the stand-in engine: measured, counted, listed."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.program import PROJECT, Engine, configuration

pytestmark = pytest.mark.engine


def test_a_small_program_is_counted(tmp_path: Path) -> None:
    program = tmp_path / "__main__.py"
    program.write_text("import pulumi\npulumi.ComponentResource('a:b:C', 'c')\npulumi.info('hello')\n")
    with Engine() as engine:
        run = engine.run(program).checked()
        assert (run.code, run.registrations, run.counted["kinds"]["a:b:C"]) == (0, 2, 1)
        assert run.counted["logs"] > 0
        assert run.cpu > 0
        assert run.peak > 10
        assert "pulumi" in run.modules
        program.write_text("raise ValueError('as it goes')\n")
        failed = engine.run(program)
        assert failed.code
        with pytest.raises(RuntimeError, match="as it goes"):
            failed.checked()


def test_a_wrong_stack_file_registers_nothing_and_loads_no_cloud() -> None:
    config = configuration(PROJECT / "Pulumi.dev.yaml")
    config["cloud-ecosystem:stack"] = config["cloud-ecosystem:stack"].replace('"zones": 1', '"zones": 9', 1)
    with Engine() as engine:
        run = engine.run(PROJECT, config)
    assert run.code == 1
    assert run.registrations == 1  # the root stack
    assert not [name for name in run.modules if name.startswith(("pulumi_", "qiskit", "highspy"))]
    assert "zones" in run.counted["errors"][0]


def test_a_stack_of_one_cloud_is_quiet_and_loads_no_other_cloud() -> None:
    """P4 and P6: both are counts, so they hold on any machine."""
    from bench.alone import SDKS, Alone  # noqa: PLC0415

    with Engine() as engine:
        alone = Alone(engine)
        run = alone.ours(alone.only("aws", regions=1))
    loaded = {name.partition(".")[0] for name in run.modules} & set(SDKS.values())
    assert loaded == {"pulumi_aws", "pulumi_kubernetes"}
    assert run.counted["logs"] / run.registrations <= 0.1
