//! Every example runs to a good end, and says what it is said to say.

mod actors;
mod contexts;
mod nurseries;
mod pools;
mod support;
mod trees;
