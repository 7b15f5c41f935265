"""The example of a cluster: its files name each other's parts. No container of it is started here."""

import tomllib
from pathlib import Path
from xml.etree import ElementTree

import yaml

FOLDER = Path(__file__).parents[3] / "contrib/deploy/clickhouse"


def test_the_files_belong_together() -> None:
    services = yaml.safe_load((FOLDER / "compose.yml").read_text())["services"]
    cluster = ElementTree.parse(FOLDER / "cluster.xml").getroot()
    keepers = ElementTree.parse(FOLDER / "keeper.xml").getroot()
    shards = [
        [host.text for host in shard.findall("replica/host")]
        for shard in cluster.findall("remote_servers/events/shard")
    ]
    assert [len(shard) for shard in shards] == [2, 2]
    for number, shard in enumerate(shards, 1):
        for host in shard:
            environment = services[host]["environment"]
            assert (environment["SHARD"], environment["REPLICA"]) == (str(number), host)
            assert f"{host}:/var/lib/clickhouse" in services[host]["volumes"]
    named = {each.findtext("hostname"): each.findtext("id") for each in keepers.findall(".//raft_configuration/server")}
    assert named == {name: services[name]["environment"]["KEEPER"] for name in services if name.startswith("keeper")}
    assert [each.text for each in cluster.findall("zookeeper/node/host")] == [*named]
    settings = tomllib.loads((FOLDER / "saastracker.toml").read_text())
    assert settings["storage"]["backend"] == "clickhouse"
    assert cluster.find(f"remote_servers/{settings['plugin']['clickhouse']['cluster']}") is not None
