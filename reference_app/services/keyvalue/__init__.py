"""The key-value tier: small datasets of many tenants over MariaDB, each in the engine of its access pattern, each tenant held to its quota."""
