//! The comparison itself.

use std::cell::RefCell;
use std::fmt::Write;

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use super::case::Case;
use super::coverage::{Coverage, important};
use super::erlang::Erlang;
use super::generate::cases;
use super::perform::transcript;

/// A number from the environment: how long to search, and where, is the developer's choice.
#[expect(
    clippy::disallowed_methods,
    reason = "how long to search is the developer's choice"
)]
fn number(name: &str) -> Option<u64> {
    let value = std::env::var(name).ok()?;
    let number = value.parse();
    Some(number.unwrap_or_else(|_| panic!("{name} is not a number: {value}")))
}

/// So many random cases come to everything that is important.
const ENOUGH: u64 = 10_000;

#[test]
fn any_history_is_as_on_real_otp() {
    let Some(erlang) = Erlang::start() else {
        return;
    };
    let seed = number("TREEWRIGHT_OTP_SEED").unwrap_or(0);
    let count = number("TREEWRIGHT_OTP_CASES").unwrap_or(1000);
    let config = Config {
        cases: u32::try_from(count).unwrap(),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let erlang = RefCell::new(erlang);
    let coverage = RefCell::new(Coverage::default());
    let result = TestRunner::new_with_rng(config, rng).run(&cases(), |case| {
        let mut erlang = erlang.borrow_mut();
        let theirs = erlang.transcript(&case);
        let ours = transcript(&case, &mut coverage.borrow_mut());
        compare(&case, &ours, &theirs)
    });
    let release = &erlang.borrow().release;
    if let Err(error) = result {
        let text = match error {
            TestError::Fail(reason, _) => reason.to_string(),
            TestError::Abort(reason) => reason.to_string(),
        };
        panic!("OTP {release}, seed {seed}: {text}");
    }
    let coverage = coverage.borrow();
    if number("TREEWRIGHT_OTP_COVERAGE").is_some() {
        println!(
            "OTP {release}, seed {seed}, {count} cases:\n{}",
            coverage.table()
        );
    }
    let missing = coverage.missing(important());
    // The rarest comes up once in a thousand cases: a short run of other cases than those of every
    // run may well go without it, and that says nothing.
    if seed != 0 && count < ENOUGH {
        println!("seed {seed}, {count} cases: none had this: {missing:#?}");
        return;
    }
    assert!(
        missing.is_empty(),
        "seed {seed}: no case had this: {missing:#?}"
    );
}

pub(super) fn compare(
    case: &Case,
    ours: &[Vec<String>],
    theirs: &[Vec<String>],
) -> Result<(), TestCaseError> {
    let ours: Vec<_> = ours.iter().map(|step| in_order(step)).collect();
    let theirs: Vec<_> = theirs.iter().map(|step| in_order(step)).collect();
    if ours == theirs {
        return Ok(());
    }
    let mut text = String::from("not as on OTP\n");
    writeln!(text, "{}", case.root).unwrap();
    writeln!(text, "interposed: {}", case.is_interposed).unwrap();
    let ops = case.ops.iter().map(ToString::to_string);
    let steps = std::iter::once("start".to_owned())
        .chain(ops)
        .chain(["end".to_owned()]);
    for (index, step) in steps.enumerate() {
        let (ours, theirs) = (ours.get(index), theirs.get(index));
        writeln!(text, "--- {step}").unwrap();
        if ours == theirs {
            let lines = ours.into_iter().flatten();
            lines.for_each(|line| writeln!(text, "      {line}").unwrap());
            continue;
        }
        for line in ours.into_iter().flatten() {
            writeln!(text, " ours {line}").unwrap();
        }
        for line in theirs.into_iter().flatten() {
            writeln!(text, "  OTP {line}").unwrap();
        }
        break;
    }
    Err(TestCaseError::fail(text))
}

/// Members of a pool that stop do so in parallel, and nobody says in which order they are asked.
fn in_order(step: &[String]) -> Vec<String> {
    let mut lines = step.to_vec();
    let is_of_member = |line: &String| {
        let is_stop = line.starts_with("stop ") || line.starts_with("kill ");
        is_stop && line.contains('m')
    };
    let mut rest = lines.as_mut_slice();
    while let Some(first) = rest.iter().position(is_of_member) {
        let (_, from) = rest.split_at_mut(first);
        let word = from[0][..5].to_owned();
        let others = from
            .iter()
            .position(|line| !is_of_member(line) || !line.starts_with(&word));
        let (run, behind) = from.split_at_mut(others.unwrap_or(from.len()));
        run.sort();
        rest = behind;
    }
    lines
}
