"""Grafana dashboards as code, and what puts them into a Grafana."""
