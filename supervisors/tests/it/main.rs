//! Integration tests of the package: one binary, a module per subject.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot go on without fails the test"
)]

mod generate;
mod to_toml;
