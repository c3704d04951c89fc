//! Vector indexes: durable fragments on the store, exact search over memory-mapped vectors.
//!
//! It never embeds a text, never speaks SQL or HTTP and acknowledges nothing before it is durable.
