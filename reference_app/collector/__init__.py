"""Takes spans by OTLP/HTTP, keeps them as Parquet segments, passes them on."""
