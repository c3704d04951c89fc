//! The HTTP doors: one module per role, the gateway, the limits and the one error table.
