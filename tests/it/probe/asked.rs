//! Probes that ask: tcp, exec, file.

use std::fs;
use std::io::Read;
use std::net::TcpListener;
use std::time::Duration;

use futures_lite::future::{or, zip};
use treewright::spec::Probe;
use treewright::tree::probe::{TryFailure, Unwell};

use super::support::{Directory, LONG, SHORT, ready, run, shell, unwell};

#[test]
fn tcp_probe_is_ready_when_the_port_is_listened_on() {
    run(async {
        // A port that was free a moment ago.
        let address = {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.local_addr().unwrap()
        };
        let probe = Probe::Tcp(address.to_string());
        let refused = ready(probe.clone(), SHORT).await.unwrap_err();
        assert!(refused.tries > 0, "{refused:?}");
        assert!(matches!(refused.last, Some(TryFailure::Connect { .. })));
        // It is asked first, and listens afterwards.
        let listen = async { TcpListener::bind(address).unwrap() };
        let (outcome, _listener) = zip(ready(probe, LONG), listen).await;
        outcome.unwrap();
    });
}

#[test]
fn tcp_probe_finds_a_host_by_its_name() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    run(ready(Probe::Tcp(format!("localhost:{port}")), LONG)).unwrap();
}

#[test]
fn file_probe_is_ready_when_the_file_is_there() {
    let directory = Directory::new("file");
    let path = directory.path("ready");
    let probe = Probe::File(path.clone());
    run(async {
        let missing = ready(probe.clone(), SHORT).await.unwrap_err();
        assert!(matches!(missing.last, Some(TryFailure::NoFile { .. })));
        let make = async { fs::write(&path, "").unwrap() };
        zip(ready(probe, LONG), make).await.0.unwrap();
    });
}

#[test]
fn exec_probe_goes_by_the_exit_code() {
    run(async {
        ready(shell("exit 0"), LONG).await.unwrap();
        let Unwell::Failed { failures: 2, last } = unwell(shell("exit 3"), LONG, 2).await else {
            panic!("it failed twice");
        };
        assert_eq!(
            last.to_string(),
            "probe command `sh -c exit 3` exited with code 3"
        );
        let argv = vec!["no-such-program-anywhere".to_owned()];
        let Unwell::Failed { last, .. } = unwell(Probe::Exec(argv), LONG, 1).await else {
            panic!("it failed");
        };
        assert!(matches!(last, TryFailure::Spawn { .. }), "{last}");
    });
}

#[test]
fn exec_probe_that_hangs_is_killed_with_its_group() {
    let directory = Directory::new("hangs");
    let fifo = directory.fifo("alive");
    // Both shells hold the FIFO as long as they live.
    let script = format!("exec 3>'{}'; sleep 1000 & trap '' TERM; wait", fifo.path());
    let all_dead = fifo.read_to_end();
    let why = run(unwell(shell(&script), Duration::from_millis(200), 1));
    assert!(
        matches!(
            why,
            Unwell::Failed {
                last: TryFailure::TimedOut(_),
                ..
            }
        ),
        "{why:?}"
    );
    all_dead.join().unwrap();
}

#[test]
fn exec_probe_that_is_dropped_is_killed_with_its_group() {
    let directory = Directory::new("dropped");
    let fifo = directory.fifo("alive");
    let script = format!("exec 3>'{}'; echo >&3; sleep 1000 & wait", fifo.path());
    let alive = fifo.first_byte();
    let mut file = run(or(
        async {
            let outcome = ready(shell(&script), LONG).await;
            panic!("it cannot end: {outcome:?}")
        },
        async {
            let (tx, rx) = smol::channel::bounded(1);
            std::thread::spawn(move || tx.try_send(alive.join().unwrap()).unwrap());
            rx.recv().await.unwrap()
        },
    ));
    file.read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn exec_probe_leaves_nothing_behind() {
    let directory = Directory::new("behind");
    let fifo = directory.fifo("alive");
    let script = format!("exec 3>'{}'; sleep 1000 & exit 0", fifo.path());
    let all_dead = fifo.read_to_end();
    run(ready(shell(&script), LONG)).unwrap();
    all_dead.join().unwrap();
}
