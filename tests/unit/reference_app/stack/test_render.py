"""Topology to configuration files."""

from __future__ import annotations

import configparser
import shlex
from pathlib import Path

import pytest
import yaml

from reference_app.contract import metrics
from reference_app.contract.topology import SMALL, STANDARD, Lab, components
from reference_app.kit.home import Home
from reference_app.stack import render
from reference_app.stack.program import Program


@pytest.fixture
def lab() -> Lab:
    return Lab("/home", "small", 21000, components(SMALL, 21000), "signing", "secret")


def options(lab: Lab, name: str, *, semi_sync: bool) -> tuple[str, ...]:
    return render.mariadb_options(lab.component(name), semi_sync=semi_sync)


def test_both_members_of_a_pair_wait_without_a_limit_once_they_are_the_primary(lab: Lab) -> None:
    for name in ("tweets-db-0-primary", "tweets-db-0-replica"):
        assert {
            "--rpl-semi-sync-master-wait-point=AFTER_SYNC", "--rpl-semi-sync-master-wait-no-slave=ON", "--master-retry-count=4294967295",
            "--rpl-semi-sync-master-timeout=4294967295", "--slave-net-timeout=4", "--innodb-flush-log-at-trx-commit=1", "--sync-binlog=1",
        } <= set(options(lab, name, semi_sync=True))  # fmt: skip


def test_a_single_database_does_not_wait_for_anybody(lab: Lab) -> None:
    assert not [option for option in options(lab, "users-db-0", semi_sync=False) if "semi-sync" in option]


def test_a_member_starts_with_the_role_that_it_was_given_last(lab: Lab) -> None:
    promoted = lab.with_primaries({"tweets-db-0": "tweets-db-0-replica"})
    for name, as_primary in (("tweets-db-0-replica", True), ("tweets-db-0-primary", False), ("tweets-db-1-replica", False)):
        file = configparser.ConfigParser()
        file.read_string(render.mariadb_role(promoted.component(name)))
        chosen = dict(file["mariadbd"])
        assert chosen["rpl-semi-sync-master-enabled"] == ("ON" if as_primary else "OFF"), name
        assert chosen["read-only"] == chosen["rpl-semi-sync-slave-enabled"] == ("OFF" if as_primary else "ON"), name


def test_server_ids_are_unique(lab: Lab) -> None:
    ids = [o for c in lab.kind("mariadb") for o in options(lab, c.name, semi_sync=True) if o.startswith("--server-id=")]
    assert len(ids) == len(set(ids)) == 7


def test_tweet_caches_evict_and_timeline_caches_refuse(lab: Lab) -> None:
    assert "allkeys-lru" in render.redis_options(lab.component("tweet-cache-0"), Path("/d"))
    assert "noeviction" in render.redis_options(lab.component("timeline-cache-0"), Path("/d"))


def test_nats_keeps_its_stream_on_disk_and_listens_on_loopback(lab: Lab) -> None:
    text = render.nats(lab.component("events-0"), Path('/with "quotes"'))
    assert 'listen: "127.0.0.1:21070"' in text
    assert r'store_dir: "/with \"quotes\""' in text


def test_prometheus_scrapes_each_service_and_the_collector_and_keeps_the_labels_of_the_prober(lab: Lab, tmp_path: Path) -> None:
    rules = tmp_path / "lab.yml"
    rules.touch()
    config = yaml.safe_load(render.prometheus(lab, tmp_path))
    services, prober, itself, load = config["scrape_configs"]
    assert {target["labels"]["component"] for target in services["static_configs"]} == {c.name for c in lab.kind("service")} | {"collector"}
    assert services["static_configs"][0]["labels"] == {"component": "gateway-0", "service": "gateway", "kind": "service"}
    assert prober["honor_labels"] is True
    assert [target["labels"]["component"] for target in itself["static_configs"]] == ["prometheus"]
    assert [target["targets"] for target in load["static_configs"]] == [[f"127.0.0.1:{port}"] for port in range(21094, 21098)]
    assert config["rule_files"] == [str(rules)]
    assert config["alerting"]["alertmanagers"][0]["static_configs"][0]["targets"] == ["127.0.0.1:21081"]


def test_prometheus_has_no_rules_where_none_were_generated(lab: Lab, tmp_path: Path) -> None:
    assert yaml.safe_load(render.prometheus(lab, tmp_path))["rule_files"] == []


def test_a_lab_with_an_edge_gets_the_rules_that_count_availability_there(tmp_path: Path) -> None:
    (tmp_path / "lab-standard.yml").touch()
    standard = Lab("/home", "standard", 21000, components(STANDARD, 21000), "signing", "secret")
    assert yaml.safe_load(render.prometheus(standard, tmp_path))["rule_files"] == [str(tmp_path / "lab-standard.yml")]


def test_prometheus_keeps_of_the_edge_what_the_contract_names() -> None:
    standard = Lab("/home", "standard", 21000, components(STANDARD, 21000), "signing", "secret")
    (job,) = (job for job in yaml.safe_load(render.prometheus(standard))["scrape_configs"] if job["job_name"] == "edge")
    assert job["static_configs"] == [
        {"targets": ["127.0.0.1:21076"], "labels": {"component": "edge-0", "service": "edge", "kind": "haproxy"}}
    ]
    (kept,) = job["metric_relabel_configs"]
    assert (kept["action"], kept["regex"].split("|")) == ("keep", [metric.name for metric in metrics.EDGE_METRICS])


def test_what_fires_together_is_one_incident_and_the_heartbeat_is_none_of_it(lab: Lab) -> None:
    written = yaml.safe_load(render.alertmanager(lab))
    route, told = written["route"], {one["name"]: one.get("webhook_configs") for one in written["receivers"]}
    assert told == {"lab": [{"url": lab.receiver_url, "send_resolved": True}]}
    assert (route["receiver"], [child["receiver"] for child in route["routes"]]) == ("lab", ["lab"])
    assert route["group_by"] == []
    assert [(child["matchers"], child["group_by"]) for child in route["routes"]] == [(['severity="none"'], ["alertname"])]


def test_alertmanager_mutes_what_was_generated_and_nothing_where_nothing_was(lab: Lab, tmp_path: Path) -> None:
    (tmp_path / "some.yml").write_text("inhibit_rules: [{source_matchers: [a=b], target_matchers: [c=d]}]\n")
    assert yaml.safe_load(render.alertmanager(lab, tmp_path / "some.yml"))["inhibit_rules"] == [
        {"source_matchers": ["a=b"], "target_matchers": ["c=d"]}
    ]
    assert "inhibit_rules" not in yaml.safe_load(render.alertmanager(lab, tmp_path / "none.yml"))


def test_supervisord_starts_nothing_by_itself_and_marks_every_program(lab: Lab) -> None:
    home, item = Home(Path("/odd %home")), Program("graph-0", "service", ("python", "-c", "a b", ""), 21009, 1)
    parsed = configparser.RawConfigParser()
    parsed.read_string(render.supervisord(home, lab, [item], user="me"))
    section = parsed["program:graph-0"]
    assert (section["autostart"], section["autorestart"], section["killasgroup"], section["stopasgroup"]) == (
        "false",
        "true",
        "true",
        "true",
    )
    assert shlex.split(section["command"]) == ["python", "-c", "a b", ""]
    assert 'FAILWHALE_LAB="/odd %%home"' in section["environment"]
    assert 'FAILWHALE_COMPONENT="graph-0"' in section["environment"]
    assert parsed["inet_http_server"]["port"] == "127.0.0.1:21090"
