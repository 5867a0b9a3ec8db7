"""`size` shows plans, writes pictures and JSON that a second command judges without solving."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from typer.testing import CliRunner

from automation.cli import app
from automation.size_words import sections
from sizing.methods import seat, words
from sizing.pictures import WIDTH, fill

RUN = CliRunner()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("size")
    done = RUN.invoke(app, ["size", "dev", "--json", "--quality", "fast", "--pictures", str(folder / "pictures")])
    assert done.exit_code == 0, done.output
    (folder / "size.json").write_text(done.stdout)
    return folder


def test_the_json_carries_problem_and_assignment(made: Path) -> None:
    for cluster in json.loads((made / "size.json").read_text())["clusters"].values():
        assert cluster["problem"]["types"][0]["allocatable"]
        placed = sum(
            sum(blocks.values())
            for nodes in cluster["assignment"].values()
            for node in nodes
            for blocks in node["pods"].values()
        )
        assert placed == sum(w["replicas"] for w in cluster["problem"]["workloads"])
        assert cluster["baselines"]
        assert cluster["verifier"] == []


def test_the_pictures_are_well_formed(made: Path) -> None:
    pictures = sorted((made / "pictures").glob("*.svg"))
    assert len(pictures) % 3 == 0
    assert pictures
    for path in pictures:
        assert ET.fromstring(path.read_text()).tag.endswith("svg")


def test_what_was_written_is_judged_without_solving(made: Path) -> None:
    assert RUN.invoke(app, ["size", "verify", str(made / "size.json")]).exit_code == 0
    changed = json.loads((made / "size.json").read_text())
    next(iter(changed["clusters"].values()))["plan"]["cost_usd_month"] *= 0.5
    wrong = made / "wrong.json"
    wrong.write_text(json.dumps(changed))
    done = RUN.invoke(app, ["size", "verify", str(wrong)])
    assert done.exit_code == 1
    assert "does not follow" in done.stdout


def test_no_evidence_is_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text("{}")
    assert RUN.invoke(app, ["size", "verify", str(tmp_path / "x.json")]).exit_code == 2
    assert RUN.invoke(app, ["size", "verify"]).exit_code == 2
    assert RUN.invoke(app, ["size", "dev", "x"]).exit_code == 2


def series(folder: Path, cpu: float, memory: int, name: str) -> Path:
    """Use of one workload for a day, five minutes a step, two pods."""
    lines = ["time,workload,pods,cpu_milli,memory_mib"]
    lines += [f"{300 * i},{name},2,{2 * cpu * (1 + (i % 12) / 100)},{2 * memory}" for i in range(288)]
    path = folder / "use.csv"
    path.write_text("\n".join(lines))
    return path


def test_advice_fits_the_use_and_shows_its_effect(tmp_path: Path) -> None:
    path = series(tmp_path, 40, 100, "gateway")
    asked = ["size", "dev", "--quality", "fast", "--demand", str(path), "--advise"]
    done = RUN.invoke(app, [*asked, "--json"])
    assert done.exit_code == 0, done.output
    for cluster in json.loads(done.stdout)["clusters"].values():
        (one,) = cluster["advice"]["workloads"]
        assert one["workload"] == "gateway"
        assert one["cpu_milli"][1] == 45  # 44 m at the 95th percentile, in steps of 5
        assert one["memory_mib"][1] == 128  # 100 MiB and 15 %, in steps of 16
        before, after = cluster["advice"]["cost_usd_month"]
        assert before == cluster["plan"]["cost_usd_month"] >= after
        assert cluster["advice"]["not_measured"]


def test_advice_needs_a_series(tmp_path: Path) -> None:
    assert RUN.invoke(app, ["size", "dev", "--advise"]).exit_code == 2
    pods = tmp_path / "pods.json"
    pods.write_text('{"items": []}')
    done = RUN.invoke(app, ["size", "dev", "--advise", "--demand", str(pods)])
    assert done.exit_code == 2
    assert "is no series" in done.output


def test_every_label_of_a_picture_has_room(made: Path) -> None:
    for path in sorted((made / "pictures").glob("*.svg")):
        for text in ET.fromstring(path.read_text()).iter("{http://www.w3.org/2000/svg}text"):
            wide = len(text.text or "") * 7.0  # of 13 px sans-serif, on the safe side
            x = float(text.get("x", 0))
            if text.get("text-anchor") == "end":
                assert wide <= x, text.text
            elif float(text.get("font-size", 13)) == 13:
                assert x + wide * (0.5 if text.get("text-anchor") == "middle" else 1) <= WIDTH, text.text


def test_methods_have_words_and_an_order() -> None:
    names = ["search, qaoa", "columns, descent", "greedy, descent", "cuts", "columns", "greedy", "search, exhaustive"]
    ordered = sorted(names, key=seat)
    assert ordered[:2] == ["greedy", "greedy, descent"]
    assert ordered[-2:] == ["search, exhaustive", "search, qaoa"]
    assert words("greedy, descent") == "largest pods first, improved"
    assert words("something new") == "something new"
    assert len({words(name) for name in names}) == len(names)


def test_explain_answers_the_questions_of_a_stranger(made: Path) -> None:
    whole = json.loads((made / "size.json").read_text())
    for cluster in whole["clusters"].values():
        said = dict(sections(cluster, explain=True))
        assert list(said) == [
            "How good it is",
            "What limits it",
            "What was asked",
            "How it was found",
            "Why nothing is much cheaper",
            "What the quantum circuit did",
        ]
        assert all(lines and all(isinstance(line, str) for line in lines) for lines in said.values())
        cost = f"{cluster['plan']['bound_usd_month']:,.0f} USD (proven)"
        assert cost in said["How good it is"][0]
        risk = cluster["plan"]["cost_usd_month"] - cluster["plan"]["list_usd_month"] >= 1
        assert any("spot nodes are taken away" in line for line in said["How good it is"]) is risk
        assert any(line.startswith("largest pods first: ") for line in said["How it was found"])
        proofs = " ".join(said["Why nothing is much cheaper"])
        assert all(f"{name}: " in proofs for name in ("by volume", "by dual prices"))
    assert len(dict(sections(cluster, explain=False))) == 2


HEAD = "# source: test\n# time: 2026-11-21\nworkload,pool,cpu_milli,memory_mib,gpu,replicas,spread,spot\n"


@pytest.mark.parametrize(
    ("row", "code", "said"),
    [
        ("big,general,900000,1024,0,1,none,never", 4, "pod_too_large"),
        ("a,nowhere,1000,1024,0,1,none,never", 2, "the cluster's pools are"),
    ],
)
def test_demand_of_a_file_is_planned_or_refused(tmp_path: Path, row: str, code: int, said: str) -> None:
    (tmp_path / "demand.csv").write_text(HEAD + row + "\n")
    done = RUN.invoke(app, ["size", "dev", "--quality", "fast", "--demand", str(tmp_path / "demand.csv")])
    assert done.exit_code == code, done.output
    assert said in done.output


def test_rivals_are_told_on_equal_terms_and_as_published(made: Path) -> None:
    for cluster in json.loads((made / "size.json").read_text())["clusters"].values():
        told = " ".join(dict(sections(cluster, explain=False))["How good it is"])
        for rival in cluster["rivals"]:
            assert f"{rival['equal_terms_usd_month']:,.0f} USD" in told
        assert "left to itself" in told
        assert "N+1" in told


def test_a_spot_price_lower_than_any_cloud_advertises_is_named(made: Path) -> None:
    cluster = next(iter(json.loads((made / "size.json").read_text())["clusters"].values()))
    row = {**cluster["plan"]["pools"][0], "spot": True, "desired": 1}
    offer = next(each for each in cluster["problem"]["types"] if each["name"] == row["instance_type"])
    cluster["plan"]["pools"] = [row]
    for share, named in ((0.03, True), (0.09, False), (0.4, False)):
        offer |= {"price_usd_hour": 1.0, "spot_price_usd_hour": share, "spot_source": "a list"}
        told = " ".join(dict(sections(cluster, explain=False))["How good it is"])
        assert (f"spot price of {row['instance_type']} before you rely on it: 0.03 USD" in told) is named


def test_a_picture_makes_room_for_long_names_and_shows_gpus() -> None:
    room = {"cpu_milli": 1000, "memory_mib": 1000, "gpu": 4, "pods": 10}
    kind = {"name": "Standard_NC96ads_A100_v4", "allocatable": room}
    row = {"pool": "a-pool-with-a-name-as-long-as-it-may-be", "slot": 0, "instance_type": kind["name"], "spare": 12}
    node = {"zone": 0, "pods": {"train": {"on_demand": 1}}}
    job = {"name": "train", "cpu_milli": 500, "memory_mib": 250, "gpu": 3}
    plan = {"cluster": "c", "pools": [row], "assignment": {f"{row['pool']}-0": [node] * 120}}
    drawn = ET.fromstring(fill({"types": [kind], "workloads": [job]}, plan))
    texts = list(drawn.iter("{http://www.w3.org/2000/svg}text"))
    assert "GPUs 75%" in [text.text for text in texts]
    (label,) = [text for text in texts if (text.text or "").startswith("a-pool")]
    assert len(label.text or "") * 7 <= float(label.get("x", 0))
    assert float(drawn.get("width", 0)) > WIDTH


def test_options_that_cannot_be_kept_are_refused_before_anything_is_solved(tmp_path: Path) -> None:
    taken = tmp_path / "taken"
    taken.write_text('{"split": {"shop": {"aws-eu-west-1": Infinity}}}')
    for options, says in (
        (("--pictures", str(taken)), "no pictures can be written to"),
        (("--rounds", "2", "--advise"), "takes no --advise"),
        (("--rounds", "2", "--explain"), "takes no --explain"),
        (("--rounds", "2", "--every", "inf"), "Invalid value for '--every'"),
        (("--placed", str(taken)), "holds no account of a placement"),
        (("--placed", str(tmp_path)), "(Is a directory)"),
    ):
        done = RUN.invoke(app, ["size", "dev", *options])
        assert done.exit_code == 2, options
        assert says in " ".join(done.output.split()), options
