"""A TCP proxy that spoils connections on demand, with Toxiproxy's HTTP API (Shopify/toxiproxy 2.12) and measured effects."""
