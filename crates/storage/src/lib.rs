//! Bytes at rest: a local directory, S3 or memory behind one store that syncs, streams and creates atomically.
