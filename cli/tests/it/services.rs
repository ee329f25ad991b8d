//! trees/services.toml with the real servers, asked by their real clients.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::command::repository;

/// The servers, running.
struct Services {
    child: Child,
    output: BufReader<ChildStdout>,
    directory: TempDir,
}

impl Services {
    fn start() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        fs::set_permissions(directory.path(), open).unwrap();
        let mut child = Command::new("sh")
            .args(["-c", "exec \"$0\" run -v trees/services.toml 2>&1"])
            .arg(env!("CARGO_BIN_EXE_treewright"))
            .current_dir(repository())
            .env("SERVICES", directory.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let output = BufReader::new(child.stdout.take().unwrap());
        Self {
            child,
            output,
            directory,
        }
    }

    fn wait_for(&mut self, text: &str) {
        let mut seen = String::new();
        loop {
            let before = seen.len();
            let read = self.output.read_line(&mut seen).unwrap();
            assert_ne!(read, 0, "the output ended before `{text}`:\n{seen}");
            if seen[before..].contains(text) {
                return;
            }
        }
    }

    /// The number a server wrote into its file.
    fn pid(&self, file: &str) -> String {
        let text = fs::read_to_string(self.directory.path().join(file)).unwrap();
        text.lines().next().unwrap().to_owned()
    }
}

fn client(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output().unwrap();
    assert!(output.status.success(), "{program}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn sql(query: &str) -> String {
    client(
        "psql",
        &[
            "-h",
            "127.0.0.1",
            "-p",
            "15432",
            "-U",
            "postgres",
            "-qtAc",
            query,
        ],
    )
}

fn redis(args: &[&str]) -> String {
    client("redis-cli", &[&["-p", "16379"], args].concat())
}

fn page() -> String {
    let mut connection = TcpStream::connect("127.0.0.1:18081").unwrap();
    connection.write_all(b"GET / HTTP/1.0\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    answer
}

fn kill(pid: &str, signal: &str) {
    assert!(
        Command::new("kill")
            .args(["-s", signal, pid])
            .status()
            .unwrap()
            .success()
    );
}

#[test]
#[ignore = "needs root, PostgreSQL, Redis and nginx"]
fn servers_are_ready_in_order_and_come_back_when_killed() {
    let mut services = Services::start();
    services.wait_for("nginx started");
    sql("insert into visits values (now())");
    assert_eq!(sql("select count(*) from visits"), "1");
    assert_eq!(redis(&["ping"]), "PONG");
    assert!(page().ends_with("served by nginx\n"));

    kill(&services.pid("postgres/postmaster.pid"), "KILL");
    services.wait_for("postgres was ended by signal KILL");
    services.wait_for("postgres started");
    assert_eq!(
        sql("select count(*) from visits"),
        "1",
        "what was committed is there"
    );

    let process = redis(&["info", "server"]);
    let pid = process
        .lines()
        .find_map(|line| line.trim().strip_prefix("process_id:"))
        .unwrap();
    kill(pid, "KILL");
    services.wait_for("redis started");
    assert_eq!(redis(&["ping"]), "PONG");

    kill(&services.pid("nginx.pid"), "KILL");
    services.wait_for("nginx started");
    assert!(page().ends_with("served by nginx\n"));

    kill(&services.child.id().to_string(), "TERM");
    services.wait_for("treewright: stopped");
    assert_eq!(services.child.wait().unwrap().code(), Some(0));
    for port in [15432, 16379, 18081] {
        TcpStream::connect(("127.0.0.1", port)).expect_err("nobody listens any more");
    }
}
