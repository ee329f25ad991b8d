//! Contexts and streams: conversations with functions in actors. All of them real processes.

mod cancel;
mod errors;
mod hostile;
mod one_way;
mod payloads;
mod pressure;
mod services;
mod streams;
mod support;
mod talk;
