"""Takes spans by OTLP/HTTP, keeps them as Parquet segments, passes them on."""

import os

# pyarrow reads it when it is loaded. Its own allocator keeps more with every merge, and gives nothing back of what another thread had freed.
os.environ.setdefault("ARROW_DEFAULT_MEMORY_POOL", "system")
