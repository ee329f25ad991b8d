//! Actors that find each other, links between any two of them, and programs that join.

mod ends;
mod exhausted;
mod find;
mod join;
mod links;
mod relays;
mod unused;
