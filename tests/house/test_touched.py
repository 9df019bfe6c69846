"""`make changed`: a change touches the tests of what imports it, directly or through others, and no other test."""

from __future__ import annotations

import pytest

from tests.support.touched import ROOT, House


@pytest.fixture(scope="module")
def house() -> House:
    return House(ROOT)


@pytest.mark.parametrize(
    ("changed", "touched", "untouched"),
    [
        (["raiden_core/report/charts.py"], ["report/test_report.py"], ["rewards/test_reward_cases.py"]),
        (["raiden_core/rewards/folding.py"], ["rewards/test_reward_cases.py", "evaluation/test_evaluate.py"], []),
        (["raiden_core/report/templates/report.html.jinja"], ["report/test_report.py"], ["training/test_nano.py"]),
        # By the name of a module in a string: it is started as a script.
        (["raiden_core/processes/supervisor.py"], ["processes/test_supervisor.py"], ["report/test_report.py"]),
        # The command loads its commands by name.
        (["raiden_core/cli/score.py"], ["rewards/test_score_command.py", "cli/test_cli.py"], ["training/test_nano.py"]),
        # Through a helper, and through a conftest.py.
        (["tests/support/serving.py"], ["generation/test_shards.py"], ["training/test_nano.py"]),
        (["tests/training/conftest.py"], ["training/test_nano.py"], ["models/test_answering.py"]),
        (["raiden_core/generation/offline/wording.py"], ["training/test_nano.py"], ["stages/test_progress.py"]),
        (["prefect.yaml"], ["flows/test_deployments.py"], ["rewards/test_reward_cases.py"]),
        (["configs/quickstart.yaml"], ["config/test_config_files.py"], ["rewards/test_reward_cases.py"]),
        (["tests/report/test_report.py"], ["report/test_report.py"], ["report/test_report_data.py"]),
        (["docs/architecture.md"], [], ["report/test_report.py", "rewards/test_reward_cases.py"]),
        ([], [], ["report/test_report.py"]),
    ],
    ids=str,
)
def test_a_change_touches_what_imports_it(
    house: House, changed: list[str], touched: list[str], untouched: list[str]
) -> None:
    found = {str(test.relative_to(ROOT / "tests")) for test in house.touched(changed)}
    assert found >= set(touched)
    assert not found & set(untouched)


def test_what_everything_depends_on_touches_everything(house: House) -> None:
    assert house.touched(["constraints.txt", "README.md"]) == house.tests
