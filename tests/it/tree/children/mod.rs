//! What holds of every kind of child, and what is particular to some.

mod actors;
mod attached;
mod conformance;
mod deeds;
mod lives;
mod otp_actors;
mod otp_ignore;
mod specimen;
