//! The command as a user runs it: one binary, a module per subject.

mod check;
mod command;
mod draw;
mod fmt;
mod help;
mod run;
mod schema;
mod services;
mod storm;
mod trees;
