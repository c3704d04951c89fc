//! Files in: CSV becomes typed columns, Parquet files and one commit.
