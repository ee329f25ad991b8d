//! Log records of actors: they come to the logger of the root, each actor's in order.

use std::collections::BTreeMap;
use std::process::{Command, Output};

use crate::guard::guarded;

fn logs(scenario: &str) -> Output {
    Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--locked", "--example", "logs"])
        .args(["--", scenario])
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(str::to_owned).collect()
}

fn stderr(output: &Output) -> Vec<String> {
    let text = String::from_utf8_lossy(&output.stderr);
    text.lines().map(str::to_owned).collect()
}

/// What the root's logger gets in a scenario that ends well.
fn heard(scenario: &str) -> Vec<String> {
    let output = logs(scenario);
    assert!(output.status.success(), "{}", stderr(&output).join("\n"));
    stdout(&output)
}

/// The messages by actor, in the order in which they came.
fn by_actor(lines: &[String]) -> BTreeMap<&str, Vec<&str>> {
    let mut actors: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for line in lines {
        let (actor, rest) = line.split_once(' ').unwrap();
        actors.entry(actor).or_default().push(rest);
    }
    actors
}

/// What an actor of the scenario `nested` says.
fn said_by(name: &str, rest: u32) -> Vec<String> {
    let counts = (0..3).map(|count| format!("INFO t [{name}] {count}"));
    let done = format!("WARN t [{name}] done unit=none rest={rest}");
    counts.chain([done]).collect()
}

#[test]
fn records_from_three_levels_down_reach_the_root_with_name_level_and_in_order() {
    guarded(|| {
        let lines = heard("nested");
        let actors = by_actor(&lines);
        assert_eq!(actors["-"], ["INFO t root begins"]);
        assert_eq!(actors["nest"], said_by("nest", 2));
        assert_eq!(actors["below_2"], said_by("below_2", 1));
        assert_eq!(actors["below_1"], said_by("below_1", 0));
        // What an actor says before it starts another comes before what that one says.
        let place = |line: &str| lines.iter().position(|other| other == line).unwrap();
        assert!(place("nest INFO t [nest] 2") < place("below_2 INFO t [below_2] 0"));
    });
}

#[test]
fn records_from_below_a_thread_reach_the_root() {
    guarded(|| {
        let lines = heard("in_threads");
        let actors = by_actor(&lines);
        // The thread's own records are the program's, since it is in this process.
        assert_eq!(actors["-"].len(), 5);
        assert_eq!(actors["below_1"], said_by("below_1", 0));
    });
}

#[test]
fn level_is_that_of_the_root_unless_said_and_inherited() {
    guarded(|| {
        let lines = heard("levels");
        let (own, lines): (Vec<_>, Vec<_>) = lines
            .into_iter()
            .partition(|line| line.contains(" treewright::actor "));
        // What the runtime itself says is for who is told to say it.
        assert_eq!(own.len(), 2);
        assert!(own[0].starts_with("chatty DEBUG treewright::actor [chatty] actor `under_chatty#"));
        assert!(own[0].ends_with("` is up"));
        assert!(own[1].ends_with("` exited with code 0, when asked to"));
        let counts: BTreeMap<&str, usize> = by_actor(&lines)
            .into_iter()
            .map(|(actor, lines)| (actor, lines.len()))
            .collect();
        let expected = [
            ("-", 1),
            ("chatty", 4),
            ("quiet", 1),
            ("same", 3),
            ("under_chatty", 4),
            ("under_quiet", 1),
            ("under_same", 3),
        ];
        assert_eq!(counts, BTreeMap::from(expected));
        assert!(lines.contains(&"chatty DEBUG t [chatty] said".to_owned()));
    });
}

#[test]
fn records_of_other_threads_of_an_actor_arrive_in_the_order_of_each() {
    guarded(|| {
        let lines = heard("threads");
        let said = &by_actor(&lines)["from_threads"];
        assert_eq!(said.len(), 400);
        for thread in 0..4 {
            let prefix = format!("INFO t [from_threads] {thread} ");
            let counts = said.iter().filter_map(|line| line.strip_prefix(&prefix));
            let counts: Vec<u32> = counts.map(|count| count.parse().unwrap()).collect();
            assert!(counts.into_iter().eq(0..100), "thread {thread}");
        }
    });
}

#[test]
fn flood_that_nobody_reads_is_bounded_and_what_was_dropped_is_counted() {
    guarded(|| {
        let mut lines = heard("flood");
        let place = lines.iter().position(|line| line.starts_with("grown by "));
        let grown = lines.remove(place.unwrap());
        let grown = grown.strip_prefix("grown by ").unwrap();
        let grown: u64 = grown.strip_suffix(" KiB").unwrap().parse().unwrap();
        assert!(grown < 16 * 1024, "{grown} KiB for 80 MB of records");
        let actors = by_actor(&lines);
        let (mut total, mut dropped) = (0, 0);
        for actor in ["middle", "below"] {
            let mut next = 0;
            for line in &actors[actor] {
                let message = line.split_once("] ").unwrap().1;
                let number = message.split(' ').next().unwrap().parse::<u32>().unwrap();
                if line.starts_with("WARN treewright::log ") {
                    dropped += number;
                } else {
                    assert!(number >= next, "{actor} is in order");
                    next = number + 1;
                    total += 1;
                }
            }
        }
        assert!(dropped > 0);
        assert_eq!(total + dropped, 40_000);
    });
}

#[test]
fn records_made_right_before_an_actor_dies_arrive() {
    guarded(|| {
        for ending in ["abort", "exit", "kill", "cancel"] {
            let output = logs(ending);
            // All but the one that was told to have ended badly, which fails the nursery.
            assert_eq!(output.status.success(), ending == "cancel");
            let lines = stdout(&output);
            let actor = if ending == "cancel" {
                "polite"
            } else {
                "mortal"
            };
            let expected = (0..100).map(|count| format!("ERROR t [{actor}] {count}"));
            let actors = by_actor(&lines);
            let said = actors.get(actor).map_or(&[][..], |said| said);
            assert!(
                said.iter().eq(expected.collect::<Vec<_>>().iter()),
                "{ending}: {said:?}"
            );
        }
    });
}

/// Slow: the parent is busy for longer than two seconds.
#[test]
fn last_words_wait_for_a_parent_that_has_asked_for_the_end_and_is_busy() {
    guarded(|| {
        let lines = heard("busy");
        let said = &by_actor(&lines)["polite"];
        assert_eq!(said.len(), 700, "{:?}", said.last());
    });
}

#[test]
fn events_of_tracing_arrive_with_their_fields() {
    guarded(|| {
        let lines = heard("tracing");
        let said = &by_actor(&lines)["trace"];
        assert_eq!(said, &["INFO t [trace] by tracing user=3"]);
    });
}

#[test]
fn program_without_a_logger_that_asks_for_a_level_gets_lines_on_standard_error() {
    guarded(|| {
        let output = logs("console");
        assert!(output.status.success());
        assert_eq!(output.stdout, b"");
        let lines = stderr(&output);
        assert_eq!(lines[0], "[root] INFO t: root begins");
        assert_eq!(lines.len(), 13);
        for (name, rest) in [("nest", 2), ("below_2", 1), ("below_1", 0)] {
            let done = format!("[{name}] WARN t: done unit=none rest={rest}");
            assert!(lines.contains(&done), "{lines:?}");
        }
    });
}

#[test]
fn program_without_a_logger_that_asks_for_nothing_is_silent() {
    guarded(|| {
        let output = logs("silent");
        assert!(output.status.success());
        assert_eq!(output.stdout, b"");
        assert_eq!(stderr(&output), Vec::<String>::new());
    });
}

#[test]
fn logger_that_an_actor_has_installed_itself_stays_and_records_from_below_pass_by() {
    guarded(|| {
        let output = logs("eager");
        assert!(output.status.success());
        let lines = stdout(&output);
        assert_eq!(by_actor(&lines)["below_1"], said_by("below_1", 0));
        assert!(!by_actor(&lines).contains_key("eager"));
        let said = stderr(&output);
        assert_eq!(said, ["eager: 0", "eager: 1", "eager: 2", "eager: done"]);
    });
}
