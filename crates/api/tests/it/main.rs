//! The doors, seen from outside: real rooms over a real lake, requests in, bytes out.

mod answers;
mod edge;
mod flow;
mod health;
mod hosts;
mod ids;
mod limits;
mod proxied;
mod refusals;
mod sql;
mod stack;
mod storage;
mod upload;
