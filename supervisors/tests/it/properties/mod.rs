//! Properties of the state machine over random specs, events and requests in virtual time.

mod checks;
mod driver;
mod life;
mod liveness;
mod moves;
mod oracle;
mod regressions;
mod safety;
mod specs;

/// How many cases each property tries: `TREEWRIGHT_CASES`, or few enough for every `cargo test`.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is the developer's choice"
)]
pub(crate) fn cases() -> proptest::test_runner::Config {
    let cases = std::env::var("TREEWRIGHT_CASES");
    proptest::test_runner::Config {
        cases: cases
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(200),
        // A case that fails becomes a named test; files of seeds tell a reader nothing.
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Default::default()
    }
}
