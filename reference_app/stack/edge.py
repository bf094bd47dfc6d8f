"""HAProxy in front of the gateways: one backend for each objective, so that its own exporter counts what users get. Pure: a lab in, text out.

Round robin, because requests are short and alike: `leastconn` would send everybody to the gateway that fails fastest.
A request is sent twice only when it surely had no effect: any one whose connection was refused, a GET also when it was not answered.
When every gateway fails its checks they are used all the same (Envoy's panic routing): slow ones on a busy machine are better than none.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reference_app.contract import api, metrics
from reference_app.contract.profile import LAB, Profile
from reference_app.contract.topology import Component, Lab

HEALTH_TIMEOUT_S = 1.0
SERVER_GRACE_S = 0.5
"""A gateway's own deadline comes first: its answer says more than the edge's."""
CONNECTIONS_MAX = 1000
IN_FLIGHT_MAX = {metrics.EDGE_HOME: 256, metrics.EDGE_POSTS: 64, metrics.EDGE_REST: 128}
"""Requests under way in one gateway, by backend: together less than what it sheds at (decider gateway_concurrency), so that they wait here."""
CACHE_MIB, CACHE_TTL_S = 4, 1
"""Public user timelines only. They may be this much older than the databases."""

_CHECKED = metrics.EDGE_HOME
_ERRORS = {
    400: ("bad_request", "this is not HTTP"),
    408: ("bad_request", "the request did not come in time"),
    500: ("internal", "this is a bug on our side"),
    502: ("%[var(txn.lost)]", "the gateway went away before it answered"),
    504: ("deadline_exceeded", "the gateway did not answer in time"),
}
"""Status -> code (contract.api) and message of what the edge itself answers. 502 is no status of the API: users get 503."""
_LOG = {
    "timestamp": "%[date,utime(%Y-%m-%dT%H:%M:%S)].%[date(0,ms),mod(1000),add(1000),regsub(^1,)]Z", "severity": "WARNING",
    "component": "%f", "message": "request", "request_id": "%[var(txn.request_id)]", "http.request.method": "%HM",
    "http.response.status_code": msgspec.Raw(b"%ST"), "duration_ms": msgspec.Raw(b"%Ta"),
    "backend": "%b", "server": "%s", "retries": "%rc", "haproxy.termination_state": "%ts",
}  # fmt: skip
"""Of requests that failed or had to be sent twice, in the shape of all our logs."""


def haproxy(lab: Lab, profile: Profile = LAB) -> str:
    """Configuration of the lab's edge."""
    edge, gateways = lab.component("edge-0"), lab.group("gateway")
    sections = (_process(), _defaults(profile), _cache(), _entry(edge), _exporter(edge))
    backends = (_backend(name, gateways, _RULES.get(name, ()), profile) for name in IN_FLIGHT_MAX)
    return "\n".join(_section(title, lines) for title, lines in (*sections, *backends))


Section = tuple[str, Sequence[str]]


def _section(title: str, lines: Sequence[str]) -> str:
    return "\n    ".join((title, *lines)) + "\n"


def _process() -> Section:
    return "global", ("nbthread 1", f"maxconn {CONNECTIONS_MAX}", "log stdout format raw daemon")


def _defaults(profile: Profile) -> Section:
    return "defaults", (
        "mode http", "log global", "option dontlog-normal",
        "timeout client 10s", "timeout http-request 5s", "timeout http-keep-alive 60s",
        f"timeout connect {_ms(profile.connect_timeout)}",
        f"timeout queue {_ms(profile.edge_queue_timeout)}",
        f"timeout server {_ms(max(profile.home_deadline, profile.post_deadline) + SERVER_GRACE_S)}",
        f"timeout check {_ms(HEALTH_TIMEOUT_S)}",
        "balance roundrobin", "retries 2", "option redispatch 1", "option allbackups",
        *(_error(status, code, message) for status, (code, message) in _ERRORS.items()),
    )  # fmt: skip


def _error(status: int, code: str, message: str) -> str:
    """In the API's shape (instrumentation.middleware)."""
    text = msgspec.json.encode({"error": {"code": code, "message": message}, "request_id": "%[var(txn.request_id)]"}).decode()
    later = " hdr retry-after 1" if status > 500 else ""
    return f"http-error status {status} content-type application/json{later} lf-string '{text}'"


def _cache() -> Section:
    return "cache public", (f"total-max-size {CACHE_MIB}", f"max-age {CACHE_TTL_S}")


def _entry(edge: Component) -> Section:
    missing = msgspec.json.encode({"error": {"code": "not_found", "message": "Not Found"}, "request_id": ""}).decode()
    log = msgspec.json.encode(_LOG).decode()
    return f"frontend {edge.name}", (
        f"bind 127.0.0.1:{edge.port}",
        f"monitor-uri {api.HEALTH}",
        "option forwardfor",
        f"log-format '{log}'",
        "http-request set-var(txn.request_id) str()",
        f"http-request set-var(txn.request_id) req.hdr({api.REQUEST_ID}),json(utf8s) if {{ req.hdr({api.REQUEST_ID}) -m found }}",
        "http-request set-var(txn.lost) str(indeterminate)",
        "http-request set-var(txn.lost) str(unavailable) if METH_GET",
        f"http-request return status 404 content-type application/json string '{missing}' if {{ path {api.METRICS} }}",
        "http-after-response set-status 503 if { status 502 }",
        f"use_backend {metrics.EDGE_HOME} if METH_GET {{ path {api.HOME} }}",
        f"use_backend {metrics.EDGE_POSTS} if METH_POST {{ path {api.TWEETS} }}",
        f"default_backend {metrics.EDGE_REST}",
    )


def _exporter(edge: Component) -> Section:
    serve = f"http-request use-service prometheus-exporter if {{ path {api.METRICS} }}"
    return "frontend exporter", (f"bind 127.0.0.1:{edge.metrics_port}", "no log", serve)


_PUBLIC = "{ var(txn.public) -m bool }"
_RULES: dict[str, Sequence[str]] = {
    metrics.EDGE_HOME: ("option httpchk", f"http-check send meth GET uri {api.HEALTH}"),
    # A page that is public is the same for everybody, but for who wants to see what they just wrote: without the token a shared cache may keep it.
    metrics.EDGE_REST: (
        f"http-request set-var(txn.public) bool(true) if METH_GET {{ path_reg ^/users/[0-9]+/tweets$ }} !{{ req.hdr({api.CONSISTENCY}) -m found }}",
        f"http-request del-header authorization if {_PUBLIC}",
        f"http-request cache-use public if {_PUBLIC}",
        f'http-response set-header cache-control "public, max-age={CACHE_TTL_S}" if {_PUBLIC} {{ status 200 }}',
        f"http-response cache-store public if {_PUBLIC}",
    ),
}


def _backend(name: str, gateways: Sequence[Component], rules: Sequence[str], profile: Profile) -> Section:
    return f"backend {name}", (
        # Not among the defaults, where HAProxy 2.6 does not look up the backend's name, and crashes.
        _error(503, f"%[be_conn_free({name}),bool,iif(unavailable,overloaded)]", "no gateway took the request"),
        "retry-on conn-failure empty-response",
        "http-request disable-l7-retry unless METH_GET",
        *rules,
        "http-response set-header cache-control no-store unless { res.hdr(cache-control) -m found }",
        f"default-server inter {_ms(profile.edge_check_every)} fall 2 rise 2 maxconn {IN_FLIGHT_MAX[name]}",
        *(f"server {g.name} 127.0.0.1:{g.port} {'check' if name == _CHECKED else f'track {_CHECKED}/{g.name}'}" for g in gateways),
        *(f"server {g.name}-unchecked 127.0.0.1:{g.port} backup" for g in gateways),
    )


def _ms(seconds: float) -> str:
    return f"{round(seconds * 1000)}ms"
