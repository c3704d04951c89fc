//! SQL over one pinned version of the lake; the only room that knows the query engine.
