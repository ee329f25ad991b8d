//! Examples of trees: how they are described, and programs that run one.

use super::support::{check, example};
use crate::guard::guarded;

#[test]
fn every_example_has_a_number_and_says_what_it_shows() {
    for entry in std::fs::read_dir("examples").unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let number = name.split('_').next().unwrap();
        assert!(number.len() == 2 && number.parse::<u8>().is_ok(), "{name}");
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//! "), "{name}");
    }
}

/// These start no process; what they print is shown in README.md, too.
#[test]
fn examples_of_trees_run() {
    for name in ["01_check_a_tree", "02_build_a_tree", "03_decide"] {
        let output = example(name);
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{stderr}");
        insta::assert_snapshot!(name, String::from_utf8_lossy(&output.stdout));
    }
}

#[test]
fn example_of_a_program_with_a_tree_of_its_own_hands_the_state_of_the_till_over() {
    guarded(|| {
        let output = example("40_market");
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            String::from_utf8_lossy(&output.stdout),
            "stall     | the stall is open\n\
             till      | till 1 begins after 0\n\
             till      | the bag of customer 1\n\
             till      | the bag of customer 2\n\
             till      | the bag of customer 3\n\
             till      | till 2 begins after 3\n\
             till      | the bag of customer 4\n\
             till      | the bag of customer 5\n\
             till      | 5 customers, 2 tills\n",
            "{stderr}"
        );
        assert!(output.status.success(), "{stderr}");
        assert_eq!(stderr.matches("till exited with code 70").count(), 1);
    });
}

#[test]
fn example_of_supervised_actors_runs() {
    guarded(|| {
        check(
            "41_supervised_actors",
            "life 1 of the clerk\n\
             2 sacks of flour\n\
             actor `mill` exited with code 70, and nobody had asked it to end\n\
             life 2 of the mill\n\
             3 sacks of flour\n\
             life 2 of the clerk\n\
             in the end: Stopped\n",
        );
    });
}
