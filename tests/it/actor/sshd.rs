//! A real sshd on the loopback, behind which actors are started.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use treewright::SpawnMethod;

/// It has keys and a port of its own.
pub(crate) struct Sshd {
    folder: PathBuf,
    port: u16,
    server: Child,
}

impl Sshd {
    pub(crate) fn start() -> Self {
        let is_installed = Path::new("/usr/sbin/sshd").exists();
        assert!(is_installed, "openssh-server is not installed");
        let folder = std::env::temp_dir().join("sshd");
        fs::create_dir(&folder).unwrap();
        for key in ["host", "user"] {
            let mut keygen = Command::new("ssh-keygen");
            keygen
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(folder.join(key));
            assert!(keygen.status().unwrap().success());
        }
        fs::copy(folder.join("user.pub"), folder.join("authorized")).unwrap();
        // Where its unprivileged half lives; its package or service makes it.
        fs::create_dir_all("/run/sshd").unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let at = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {}\nAuthorizedKeysFile {}\n\
             PidFile none\nStrictModes no\nUsePAM no\nPasswordAuthentication no\n\
             PermitRootLogin prohibit-password\nMaxStartups 100\n",
            at("host"),
            at("authorized")
        );
        fs::write(folder.join("config"), config).unwrap();
        let mut server = Command::new("/usr/sbin/sshd")
            .args(["-D", "-e", "-f", &at("config")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until_it_listens(&mut server);
        Self {
            folder,
            port,
            server,
        }
    }

    /// Starts actors behind it.
    pub(crate) fn method(&self) -> SpawnMethod {
        let port = self.port.to_string();
        let key = self.folder.join("user").display().to_string();
        SpawnMethod::launcher([
            "ssh",
            "-F",
            "none",
            "-T",
            "-q",
            "-i",
            &key,
            "-p",
            &port,
            "-o",
            "BatchMode=yes",
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "UserKnownHostsFile=/dev/null",
            "root@127.0.0.1",
            "--",
        ])
    }
}

fn wait_until_it_listens(server: &mut Child) {
    use std::io::{BufRead, BufReader};
    let stderr = server.stderr.take().unwrap();
    let mut lines = BufReader::new(stderr).lines();
    let listens = lines
        .by_ref()
        .map_while(Result::ok)
        .any(|line| line.contains("listening"));
    assert!(listens, "sshd ended before it listened");
    // What it says later is read, or it would wait for that.
    std::thread::spawn(move || lines.for_each(drop));
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
        fs::remove_dir_all(&self.folder).unwrap();
    }
}
