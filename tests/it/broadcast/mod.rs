//! One stream for many: its messages for many tasks, many uses for one stream, and topics that
//! actors subscribe to. All of it with functions in real actors.

mod receivers;
mod support;
mod topics;
mod uses;
