//! What exists: the lake log, Iceberg tables, versions and the one atomic commit.
