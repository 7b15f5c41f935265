"""What the demo projects define is what the plugins take."""

from contextlib import closing
from pathlib import Path

from saastracker.config import load_config
from saastracker.definitions import Definitions
from saastracker.demo.load import DEMOS, define
from saastracker.facts import Facts
from saastracker.plugins import Plugins
from saastracker.secrets import Secrets
from saastracker.testing import NOW


def test_the_demo_defines_features_funnels_and_who_has_left(tmp_path: Path) -> None:
    plugins = Plugins(load_config(None, tmp_path))
    with closing(plugins.open_records()) as records:
        facts, definitions = Facts(records, Secrets.open(tmp_path)), Definitions(records, plugins.kinds)
        demo = next(demo for demo in DEMOS if demo.slug == "harbourdesk")
        project = facts.add_project(demo.name, facts.default_workspace().id)
        define(demo, facts, definitions, NOW)
        kinds = ("feature", "funnel", "churn")
        assert {kind: len(definitions.of(project.id, kind)) for kind in kinds} == {
            "feature": 8,
            "funnel": 2,
            "churn": 12,
        }
