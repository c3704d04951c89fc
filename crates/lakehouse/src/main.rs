//! The binary: command line, config, roles, assembly and shutdown.

fn main() {}
