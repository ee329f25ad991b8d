//! Probes that wait for a sign of the child: its output, its age.

use std::time::Duration;

use treewright::process::Output;
use treewright::spec::Probe;
use treewright::time::Clock;
use treewright::tree::probe::ReadyProbe;

use super::support::{LONG, SHORT, beside, command, end, quiet_log, ready, ready_spec, run, shell};

#[test]
fn log_probe_is_ready_when_the_line_is_printed() {
    run(async {
        let (logs, log) = quiet_log().await;
        let probe = Probe::Log("ready to".to_owned());
        let ready = ReadyProbe::new(&ready_spec(probe, LONG), &log);
        let Probe::Exec(argv) = shell("echo starting; echo 'now ready to serve'; exec sleep 1000")
        else {
            unreachable!()
        };
        let mut child = command(&argv)
            .stdout(Output::Pipe)
            .stderr(Output::Pipe)
            .spawn()
            .unwrap();
        log.attach(child.take_stdout(), child.take_stderr())
            .unwrap();
        beside(logs.run(), ready.wait(None, &command))
            .await
            .unwrap();
        end(child).await;
    });
}

#[test]
fn log_probe_without_the_line_fails_in_time_and_was_never_asked() {
    let missing = run(ready(Probe::Log("never".to_owned()), SHORT)).unwrap_err();
    assert_eq!((missing.tries, missing.after), (0, SHORT));
    assert_eq!(missing.to_string(), "not ready after 50ms");
}

#[test]
fn uptime_probe_is_ready_after_that_time() {
    let start = Clock::Monotonic.now();
    run(ready(Probe::Uptime(SHORT), Duration::from_millis(1))).unwrap();
    assert!(Clock::Monotonic.now() - start >= SHORT);
}
