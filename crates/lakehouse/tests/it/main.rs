//! The binary from outside: its command line, its start and end, who may ask, its smokes, other engines, and what kills and races
//! leave behind.

mod agents;
mod bombs;
mod chat;
mod cli;
mod command;
mod config;
mod demo;
mod described;
mod disks;
mod doctor;
mod floods;
mod forms;
mod guarded;
mod interop;
mod iterate;
mod newcomer;
mod recipes;
mod serving;
mod smokes;
mod soak;
mod text;
mod upkeep;
