//! What the compiler says when an attribute is used wrongly.
//!
//! `TRYBUILD=overwrite` writes the expected words anew; read what changed.

/// Slow (> 60 s the first time, when it builds treewright once more): run by .ci/run.
#[test]
#[ignore = "builds treewright once more"]
fn wrong_use_of_an_attribute_is_told_what_to_do() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
