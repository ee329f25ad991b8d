//! The command as a user runs it: one binary, a module per subject.

mod actors;
mod check;
mod command;
mod draw;
mod fmt;
mod help;
mod reload;
mod restarts;
mod run;
mod running;
mod schema;
mod services;
mod signals;
mod storm;
mod trees;
