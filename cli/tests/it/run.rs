//! `treewright run`: starts, ends, exit codes and what it says.

use crate::running::{FOR_EVER, Running, run};

#[test]
fn tree_whose_children_all_succeed_ends_with_0() {
    let (code, out, err) =
        run("[process.a]\nrun = \"sh -c 'echo done'\"\nrestart = \"transient\"\n");
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(out, "a | done\n");
}

#[test]
fn tree_of_a_failed_temporary_child_ends_with_1() {
    let (code, _, err) = run("[process.a]\nrun = \"false\"\nrestart = \"temporary\"\n");
    assert_eq!(code, Some(1), "{err}");
}

#[test]
fn exit_code_from_is_the_code_of_that_child() {
    let tree = "[tree]\nexit_code_from = \"main\"\n\
        [supervisor.root]\nchildren = [\"side\", \"main\"]\nauto_shutdown = \"any_significant\"\n\
        [process.side]\nrun = [\"sh\", \"-c\", \"while :; do sleep 1; done\"]\n\
        [process.main]\nrun = [\"sh\", \"-c\", \"exit 7\"]\nrestart = \"temporary\"\nsignificant = true\n";
    let (code, _, err) = run(tree);
    assert_eq!(code, Some(7), "{err}");
}

#[test]
fn refused_tree_ends_with_2_and_starts_nothing() {
    let (code, out, err) = run("[process.a]\nrun = \"echo started\"\nrestrat = \"never\"\n");
    assert_eq!(code, Some(2), "{err}");
    assert_eq!(out, "");
    assert!(err.contains("restart"), "{err}");
}

#[test]
fn failed_start_ends_with_3_and_rolls_back() {
    let tree = "[supervisor.root]\nchildren = [\"a\", \"b\"]\n\
        [process.a]\nrun = [\"sh\", \"-c\", \"while :; do sleep 1; done\"]\n\
        [process.b]\nrun = \"/nowhere/to/be/found\"\n";
    let (code, _, err) = run(tree);
    assert_eq!(code, Some(3), "{err}");
    assert!(err.contains("/nowhere/to/be/found"), "{err}");
}

#[test]
fn nested_supervisors_and_pools_run_and_stop() {
    let tree = format!(
        "[supervisor.root]\nchildren = [\"app\", \"jobs\"]\n\
         [supervisor.app]\nstrategy = \"one_for_all\"\nchildren = [\"web\"]\n\
         [process.web]\nrun = [\"sh\", \"-c\", \"echo web runs; {FOR_EVER}\"]\n\
         [pool.jobs]\nrun = [\"sh\", \"-c\", \"echo job {{index}} runs; {FOR_EVER}\"]\nsize = 3\n"
    );
    let mut running = Running::start(&tree, &[]);
    // Each child has a pipe of its own: their lines come in any order.
    let mut lines: Vec<String> = (0..4).map(|_| running.wait_for("runs")).collect();
    lines.sort();
    assert_eq!(
        lines.concat(),
        "jobs@0 | job 0 runs\njobs@1 | job 1 runs\njobs@2 | job 2 runs\nweb    | web runs\n"
    );
    running.signal("TERM");
    let (code, _, err) = running.end();
    assert_eq!(code, Some(0), "{err}");
}

#[test]
fn completion_dependencies_run_one_after_the_other() {
    let step = |name: &str, after: &str| {
        format!(
            "[process.{name}]\nrun = \"sh -c 'echo {name}'\"\nrestart = \"temporary\"\nstart = \"completed\"\n{after}"
        )
    };
    let tree = format!(
        "{}{}{}",
        step("load", "depends_on = { transform = \"completed\" }\n"),
        step("transform", "depends_on = { extract = \"completed\" }\n"),
        step("extract", ""),
    );
    let (code, out, err) = run(&tree);
    assert_eq!(code, Some(0), "{err}");
    assert_eq!(
        out,
        "extract   | extract\ntransform | transform\nload      | load\n"
    );
}

#[test]
fn json_format_writes_one_object_a_line() {
    let tree = "[process.a]\nrun = \"sh -c 'echo hello; exit 3'\"\nrestart = \"temporary\"\n";
    let (code, out, err) = Running::start(tree, &["--log-format", "json"]).end();
    assert_eq!(code, Some(1));
    let lines = || out.lines().chain(err.lines());
    let records: Vec<serde_json::Value> = lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(
        records
            .iter()
            .any(|record| record["text"] == "hello" && record["name"] == "a")
    );
    let reports = records
        .iter()
        .filter(|record| record["report"]["context"] == "child_terminated");
    assert_eq!(reports.count(), 1, "{err}");
    assert!(records.iter().any(|record| record["exit_code"] == 1));
}

#[test]
fn last_words_say_why_the_tree_ended_how_long_it_ran_and_what_failed() {
    let tree = "[supervisor.root]\nchildren = [\"main\"]\nauto_shutdown = \"any_significant\"\n\
        [process.main]\nrun = \"sh -c 'exit 4'\"\nrestart = \"temporary\"\nsignificant = true\n";
    let (_, _, err) = run(tree);
    let last: Vec<&str> = err.lines().rev().take(2).collect();
    assert_eq!(last[0], "treewright:   main exited with code 4", "{err}");
    assert!(
        last[1].contains("because significant child `main` ended; it ran for")
            && last[1].ends_with(", no restarts"),
        "{err}"
    );
}

#[test]
fn reports_of_the_root_do_not_name_it_and_those_of_others_do() {
    let tree = "[supervisor.top]\nchildren = [\"app\", \"a\"]\n\
        [supervisor.app]\nchildren = [\"b\"]\n\
        [process.a]\nrun = \"sh -c 'exit 4'\"\nrestart = \"temporary\"\n\
        [process.b]\nrun = \"sh -c 'exit 5'\"\nrestart = \"temporary\"\n";
    let (_, _, err) = run(tree);
    assert!(err.contains("treewright: a exited with code 4"), "{err}");
    assert!(
        err.contains("treewright: [app] b exited with code 5"),
        "{err}"
    );
}

#[test]
fn json_ends_with_a_record_of_what_the_tree_went_through() {
    let tree = "[process.a]\nrun = \"sh -c 'exit 3'\"\nrestart = \"temporary\"\n";
    let (_, _, err) = Running::start(tree, &["--log-format", "json"]).end();
    let last: serde_json::Value = serde_json::from_str(err.lines().last().unwrap()).unwrap();
    assert_eq!(last["exit_code"], 1);
    assert_eq!(last["restarts"], 0);
    assert_eq!(last["failed"][0]["child"], "a");
    assert_eq!(last["failed"][0]["reason"], "exited with code 3");
    assert!(last["ran_for"].as_f64().unwrap() >= 0.0);
}

/// What a tree tells whose `app` has this key: its output, and what of each report of a failure
/// is the same whenever it happens.
fn told_with(key: &str, args: &[&str]) -> (String, Vec<String>) {
    let tree = format!(
        "[supervisor.top]\nchildren = [\"app\"]\n\
         [supervisor.app]\nchildren = [\"b\"]\n{key}\n\
         [process.b]\nrun = \"sh -c 'echo out; echo err >&2; exit 5'\"\nrestart = \"temporary\"\n"
    );
    let (code, out, err) = Running::start(&tree, args).end();
    assert_eq!(code, Some(1), "{err}");
    (out, err.lines().map(str::to_owned).collect())
}

#[test]
fn prefixes_below_an_isolated_supervisor_are_those_of_the_tree() {
    let (out, err) = told_with("isolated = true", &[]);
    assert_eq!(out, "b | out\n");
    assert!(err.iter().any(|line| line == "b ! err"), "{err:?}");
    let failed = err
        .iter()
        .filter(|line| line.starts_with("treewright: [app] b exited with code 5"));
    assert_eq!(failed.count(), 1, "{err:?}");
    assert_eq!(told_with("", &[]).0, out);
}

#[test]
fn json_below_an_isolated_supervisor_is_that_of_the_tree() {
    let records = |key: &str| -> Vec<serde_json::Value> {
        let (out, err) = told_with(key, &["--log-format", "json"]);
        let lines = out.lines().chain(err.iter().map(String::as_str));
        let records = lines.map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
        let of_b = |record: &serde_json::Value| {
            record["name"] == "b" || record["report"]["context"] == "child_terminated"
        };
        records.filter(of_b).collect()
    };
    let isolated = records("isolated = true");
    let texts: Vec<_> = isolated.iter().map(|record| &record["text"]).collect();
    assert!(
        texts.contains(&&"out".into()) && texts.contains(&&"err".into()),
        "{isolated:?}"
    );
    let report = isolated
        .iter()
        .find(|record| !record["report"].is_null())
        .unwrap();
    assert_eq!(report["report"]["supervisor"], "app", "{report}");
    assert_eq!(isolated.len(), records("").len(), "{isolated:#?}");
}
