//! The documents that name tests name tests that there are.

const SEMANTICS: &str = include_str!("../../../docs/semantics.md");
const OTP: &str = include_str!("otp.md");

const MODULES: [(&str, &str); 20] = [
    ("dependencies", include_str!("dependencies.rs")),
    ("deviations", include_str!("deviations.rs")),
    ("interleaved", include_str!("interleaved.rs")),
    ("otp_compared", include_str!("otp_compared.rs")),
    ("invalid", include_str!("invalid.rs")),
    ("operator", include_str!("operator.rs")),
    ("otp_api", include_str!("otp_api.rs")),
    ("otp_misc", include_str!("otp_misc.rs")),
    ("otp_restart", include_str!("otp_restart.rs")),
    ("otp_scale", include_str!("otp_scale.rs")),
    ("otp_significant", include_str!("otp_significant.rs")),
    ("otp_start", include_str!("otp_start.rs")),
    ("otp_stop", include_str!("otp_stop.rs")),
    ("otp_strategies", include_str!("otp_strategies.rs")),
    ("plan", include_str!("plan.rs")),
    ("pools", include_str!("pools.rs")),
    ("real_otp::compared", include_str!("real_otp/compared.rs")),
    ("reloading", include_str!("reloading.rs")),
    ("scale", include_str!("scale.rs")),
    ("starting", include_str!("starting.rs")),
];

/// Every `module::test` of a text, if the module is one of these.
fn named(text: &str) -> impl Iterator<Item = (&str, &str)> {
    let quoted = text.split('`').skip(1).step_by(2);
    let named = quoted.filter_map(|quoted| quoted.rsplit_once("::"));
    named.filter(|(module, _)| MODULES.iter().any(|(known, _)| known == module))
}

#[test]
fn tests_that_documents_name_exist() {
    let missing: Vec<String> = named(SEMANTICS)
        .chain(named(OTP))
        .filter(|(module, test)| {
            let source = MODULES.iter().find(|(known, _)| known == module);
            !source.is_some_and(|(_, source)| source.contains(&format!("fn {test}(")))
        })
        .map(|(module, test)| format!("{module}::{test}"))
        .collect();
    assert_eq!(missing, [""; 0]);
    assert!(named(SEMANTICS).count() > 80);
    assert!(named(OTP).count() > 80);
}

#[test]
fn every_test_named_after_a_case_is_listed() {
    let listed: Vec<&str> = named(OTP).map(|(_, test)| test).collect();
    for module in ["otp_start", "otp_stop", "otp_api", "otp_scale"] {
        let (_, source) = MODULES.iter().find(|(known, _)| *known == module).unwrap();
        let tests = source.split("#[test]\nfn ").skip(1);
        for test in tests.filter_map(|text| text.split_once('(')) {
            assert!(
                listed.contains(&test.0),
                "{module}::{} is not listed",
                test.0
            );
        }
    }
}
