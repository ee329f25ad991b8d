//! Integration tests of the package: one binary, a module per subject.

#![expect(
    clippy::unwrap_used,
    reason = "what a test cannot go on without fails the test"
)]

mod dependencies;
mod deviations;
mod documented;
mod generate;
mod hostile;
mod interleaved;
mod invalid;
mod loading;
mod operator;
mod ordering;
mod otp_api;
mod otp_compared;
mod otp_misc;
mod otp_model;
mod otp_restart;
mod otp_scale;
mod otp_significant;
mod otp_start;
mod otp_stop;
mod otp_strategies;
mod plan;
mod pools;
mod properties;
mod real_otp;
mod reloading;
mod scale;
mod simulation;
mod source;
mod starting;
mod to_toml;
mod trees;
