//! What is written loads to what was written.

use proptest::prelude::*;
use treewright_supervisors::load::{MemorySource, load_str};
use treewright_supervisors::spec::{
    ActorSpec, ChildKind, ChildSpec, ExecSpec, PoolSpec, StartCondition, SupervisorSpec, TreeSpec,
    WorkersSpec,
};
use treewright_supervisors::{ToTomlError, load};

use crate::generate;

proptest! {
    // A case is a whole tree, so a quarter of the usual number is plenty.
    #![proptest_config(ProptestConfig {
        cases: ProptestConfig::default().cases / 4,
        ..ProptestConfig::default()
    })]

    #[test]
    fn written_tree_loads_to_the_same_tree(tree in generate::tree()) {
        let text = tree.to_toml().unwrap();
        let source = generate::files(&tree)
            .into_iter()
            .fold(MemorySource::new(), |source, (path, text)| source.file(path, text));
        let loaded = load_str("/trees/any.toml", &text, &source);
        match loaded {
            Ok(loaded) => prop_assert_eq!(loaded.spec, tree, "{}", text),
            Err(report) => prop_assert!(false, "{report}\n{text}"),
        }
    }
}

fn tree_of(child: ChildSpec) -> TreeSpec {
    let mut root = SupervisorSpec::new("root");
    root.children.push(child);
    TreeSpec {
        name: "tree".to_owned(),
        exit_code_from: None,
        shutdown: None,
        root,
    }
}

#[test]
fn local_closure_cannot_be_written() {
    let error = tree_of(ChildSpec::new("here", ChildKind::Local))
        .to_toml()
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "cannot write child `here`: a local closure has no form in TOML"
    );
}

#[test]
fn date_among_arguments_cannot_be_written() {
    let date: toml::Value = "2020-02-02"
        .parse::<toml::value::Datetime>()
        .unwrap()
        .into();
    let actor = ActorSpec {
        task: "a::b".to_owned(),
        args: Some(toml::Value::Array(vec![date])),
        exe: None,
        exec: ExecSpec::default(),
    };
    let tree = tree_of(ChildSpec::new("a", ChildKind::Actor(Box::new(actor))));
    assert_eq!(
        tree.to_toml().unwrap_err().to_string(),
        "cannot write child `a`: 2020-02-02 is not an argument"
    );
}

#[test]
fn pool_with_settings_of_its_own_cannot_be_written() {
    let member = ActorSpec {
        task: "a::b".to_owned(),
        args: None,
        exe: None,
        exec: ExecSpec::default(),
    };
    let member = ChildSpec::new("p", ChildKind::Actor(Box::new(member)));
    let mut pool = ChildSpec::new("p", ChildKind::Pool(Box::new(PoolSpec::new(2, member))));
    assert!(tree_of(pool.clone()).to_toml().is_ok());
    pool.significant = true;
    assert!(matches!(
        tree_of(pool).to_toml(),
        Err(ToTomlError::PoolSetting { .. })
    ));
}

#[test]
fn pool_of_workers_with_what_a_pool_has_no_key_for_cannot_be_written() {
    let workers = ChildKind::Workers(Box::new(WorkersSpec::new(2)));
    let mut pool = ChildSpec::new("p", workers);
    assert!(tree_of(pool.clone()).to_toml().is_ok());
    pool.start = StartCondition::Completed;
    assert!(matches!(
        tree_of(pool).to_toml(),
        Err(ToTomlError::PoolSetting { .. })
    ));
}

#[test]
fn path_that_is_not_utf8_cannot_be_written() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let exec = ExecSpec {
        cwd: Some(OsStr::from_bytes(b"/\xff").into()),
        ..ExecSpec::default()
    };
    let actor = ActorSpec {
        task: "a::b".to_owned(),
        args: None,
        exe: None,
        exec,
    };
    let tree = tree_of(ChildSpec::new("a", ChildKind::Actor(Box::new(actor))));
    assert!(matches!(
        tree.to_toml(),
        Err(ToTomlError::PathNotUtf8 { .. })
    ));
}

#[test]
fn long_tables_and_scripts_are_spread_over_lines() {
    let text = "[supervisor.root]\nchildren = [\"a\"]\n\n[process.a]\nrun = \"\"\"\nset -e\necho hi\n\"\"\"\nshell = true\n\
                [process.a.env]\nFIRST = \"a long value that makes the table too long for one line\"\n\
                SECOND = \"another long value that does the same\"\n";
    let source = MemorySource::new();
    let spec = load::load_str("a.toml", text, &source).unwrap().spec;
    insta::assert_snapshot!(spec.to_toml().unwrap());
}
