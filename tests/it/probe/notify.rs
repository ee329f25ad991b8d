//! The notify socket: who is heard, and what a message does.

use std::fs;
use std::io::Read;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
use treewright::process::{Child, Mark, Output, TreeId};
use treewright::spec::{Identity, LiveSpec, Probe};
use treewright::tree::probe::{
    NotifyError, NotifyInbox, NotifySocket, ReadyProbe, Unwell, watch_live,
};

use super::support::{
    Directory, LONG, SHORT, beside, command, end, helper, quiet_log, ready_spec, run,
};

/// Starts the helper with this script, heard by the socket.
fn start(socket: &NotifySocket, script: &str) -> (Child, NotifyInbox) {
    let mut command = helper(script);
    for (name, value) in socket.variables(None) {
        command.env(name, value);
    }
    let child = command.spawn().unwrap();
    let inbox = socket.hear(&child, None);
    (child, inbox)
}

async fn wait_ready(socket: &NotifySocket, inbox: &NotifyInbox) {
    let (_logs, log) = quiet_log().await;
    let ready = ReadyProbe::new(&ready_spec(Probe::Notify, LONG), &log);
    beside(socket.run(), ready.wait(Some(inbox), &command))
        .await
        .unwrap();
}

#[test]
fn child_that_says_so_is_ready() {
    let directory = Directory::new("ready");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let (child, inbox) = start(&socket, "notify STATUS=starting notify READY=1 hang");
        wait_ready(&socket, &inbox).await;
        assert!(inbox.is_ready());
        assert_eq!(inbox.status().as_deref(), Some("starting"));
        assert_eq!(socket.ignored(), 0);
        end(child).await;
    });
}

#[test]
fn descendant_speaks_for_the_child_also_from_another_session() {
    let directory = Directory::new("descendant");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let script = "fork [ setsid notify READY=1 hang ] hang";
        let (child, inbox) = start(&socket, script);
        wait_ready(&socket, &inbox).await;
        end(child).await;
    });
}

#[test]
fn orphan_that_carries_the_mark_speaks_for_the_child() {
    let directory = Directory::new("orphan");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let mut command = helper("double-fork [ setsid notify READY=1 hang ] hang");
        command.mark(Mark::new(&TreeId::new("probe"), "web", 1));
        for (name, value) in socket.variables(None) {
            command.env(name, value);
        }
        let child = command.spawn().unwrap();
        let inbox = socket.hear(&child, None);
        wait_ready(&socket, &inbox).await;
        end(child).await;
    });
}

#[test]
fn stranger_is_ignored_and_counted_and_its_descriptors_are_closed() {
    let directory = Directory::new("stranger");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let (child, inbox) = start(&socket, "hang");
        let stranger = UnixDatagram::unbound().unwrap();
        stranger.connect(socket.path()).unwrap();
        let (mut reader, writer) = std::io::pipe().unwrap();
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [writer.as_fd()];
        assert!(ancillary.push(SendAncillaryMessage::ScmRights(&descriptors)));
        let text = std::io::IoSlice::new(b"READY=1\nBARRIER=1");
        sendmsg(&stranger, &[text], &mut ancillary, SendFlags::empty()).unwrap();
        drop(writer);
        // The pipe ends when the socket has closed the last descriptor of its other end.
        let (tx, rx) = smol::channel::bounded(1);
        std::thread::spawn(move || {
            reader.read_to_end(&mut Vec::new()).unwrap();
            tx.try_send(()).unwrap();
        });
        beside(socket.run(), rx.recv()).await.unwrap();
        assert_eq!(socket.ignored(), 1);
        assert!(!inbox.is_ready());
        end(child).await;
    });
}

#[test]
fn malformed_message_is_ignored_and_the_next_one_heard() {
    let directory = Directory::new("malformed");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let long = "x".repeat(5000);
        let script = format!("notify nonsense notify STATUS={long} notify READY=1 hang");
        let (child, inbox) = start(&socket, &script);
        wait_ready(&socket, &inbox).await;
        assert_eq!(socket.ignored(), 2);
        assert_eq!(inbox.status(), None);
        end(child).await;
    });
}

#[test]
fn one_child_does_not_speak_for_another() {
    let directory = Directory::new("another");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let (quiet, quiet_inbox) = start(&socket, "hang");
        let (loud, loud_inbox) = start(&socket, "notify READY=1 hang");
        wait_ready(&socket, &loud_inbox).await;
        assert!(!quiet_inbox.is_ready());
        end(quiet).await;
        end(loud).await;
    });
}

#[test]
fn child_that_runs_as_another_user_is_heard() {
    if !rustix::process::getuid().is_root() {
        eprintln!("SKIPPED: only root can start a child as another user");
        return;
    }
    const NOBODY: u32 = 65534;
    // The user must be able to pass every directory on the way.
    let socket = NotifySocket::open(&std::env::temp_dir()).unwrap();
    let directory = Directory::new("user");
    let copy = directory.path("helper");
    fs::copy(helper("").program(), &copy).unwrap();
    fs::set_permissions(directory.root(), fs::Permissions::from_mode(0o711)).unwrap();
    run(async {
        let mut command = treewright::process::Command::new(copy);
        command.args("notify READY=1 hang".split(' '));
        command.identity(Identity {
            user: Some(NOBODY.to_string()),
            group: Some(NOBODY.to_string()),
            ..Identity::default()
        });
        for (name, value) in socket.variables(None) {
            command.env(name, value);
        }
        socket.admit_others().unwrap();
        let child = command.spawn().unwrap();
        let inbox = socket.hear(&child, Some(NOBODY));
        wait_ready(&socket, &inbox).await;
        end(child).await;
    });
}

#[test]
fn watchdog_that_is_not_fed_is_missed_and_a_trigger_is_at_once() {
    let directory = Directory::new("watchdog");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let (child, inbox) = start(&socket, "notify WATCHDOG=1 hang");
        let spec = LiveSpec::Watchdog(SHORT);
        let why = beside(socket.run(), watch_live(&spec, Some(&inbox), &command)).await;
        assert_eq!(why, Unwell::WatchdogMissed(SHORT));
        end(child).await;
        let (child, inbox) = start(&socket, "notify WATCHDOG=trigger hang");
        let spec = LiveSpec::Watchdog(LONG);
        let why = beside(socket.run(), watch_live(&spec, Some(&inbox), &command)).await;
        assert_eq!(why, Unwell::WatchdogTriggered);
        end(child).await;
    });
}

#[test]
fn watchdog_tells_the_child_how_often() {
    let directory = Directory::new("period");
    let socket = NotifySocket::open(directory.root()).unwrap();
    let live = LiveSpec::Watchdog(Duration::from_secs(30));
    let variables = socket.variables(Some(&live));
    assert_eq!(variables[0].0, "NOTIFY_SOCKET");
    assert_eq!(variables[1], ("WATCHDOG_USEC", "30000000".to_owned()));
}

#[test]
fn directory_is_private_and_gone_at_the_end() {
    let directory = Directory::new("private");
    let socket = NotifySocket::open(directory.root()).unwrap();
    let folder = socket.path().parent().unwrap().to_owned();
    let mode = fs::metadata(&folder).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    drop(socket);
    assert!(!folder.exists());
}

#[test]
fn path_longer_than_a_socket_may_have_is_refused() {
    let directory = Directory::new("long");
    let deep = directory.path(&"x".repeat(100));
    fs::create_dir(&deep).unwrap();
    let error = NotifySocket::open(&deep).unwrap_err();
    assert!(matches!(error, NotifyError::TooLong { .. }), "{error}");
    assert_eq!(fs::read_dir(&deep).unwrap().count(), 0);
}

#[test]
fn inbox_that_is_dropped_makes_a_stranger_of_the_child() {
    let directory = Directory::new("dropped");
    let socket = NotifySocket::open(directory.root()).unwrap();
    run(async {
        let mut command = helper("notify READY=1 say sent hang");
        command.stdout(Output::Pipe);
        for (name, value) in socket.variables(None) {
            command.env(name, value);
        }
        let mut child = command.spawn().unwrap();
        drop(socket.hear(&child, None));
        let mut said = [0; 5];
        let mut pipe = fs::File::from(child.take_stdout().unwrap());
        pipe.read_exact(&mut said).unwrap();
        // Its message is in the socket now, before that of the other.
        let (other, inbox) = start(&socket, "notify READY=1 hang");
        wait_ready(&socket, &inbox).await;
        assert_eq!(socket.ignored(), 1);
        end(child).await;
        end(other).await;
    });
}
