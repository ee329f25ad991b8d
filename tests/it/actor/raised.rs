//! A real actor, raised by hand: what its parent says are frames of our own making.

use std::env;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Child, Command, Stdio};

use super::frames::{boot, hello, kinds};

/// A real actor, with us for a parent.
pub(crate) struct Raised {
    pub(crate) child: Child,
    pub(crate) link: UnixStream,
}

impl Raised {
    pub(crate) fn start() -> Self {
        let (link, theirs) = UnixStream::pair().unwrap();
        let role = format!("actor:{}", std::process::id());
        let child = Command::new(env::current_exe().unwrap())
            .env("TREEWRIGHT_ROLE", role)
            .stdin(OwnedFd::from(theirs))
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        Self { child, link }
    }

    /// One that is up.
    pub(crate) fn up() -> Self {
        let mut raised = Self::start();
        raised.say(&hello(1, 1));
        raised.say(&boot(std::process::id()));
        assert_eq!(raised.hear().0, kinds::HELLO);
        assert_eq!(raised.hear().0, kinds::READY);
        raised
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        // It may have hung up before all was said.
        let _hung_up = self.link.write_all(bytes);
    }

    /// Waits for the next frame: its kind, its context and its body.
    pub(crate) fn hear(&mut self) -> (u8, u64, Vec<u8>) {
        self.hear_if_any().unwrap()
    }

    /// The same; an error if there is none because it has hung up.
    pub(crate) fn hear_if_any(&mut self) -> io::Result<(u8, u64, Vec<u8>)> {
        let mut header = [0; 16];
        self.link.read_exact(&mut header)?;
        let length = u32::from_le_bytes(header[..4].try_into().unwrap());
        let mut body = vec![0; length.try_into().unwrap()];
        self.link.read_exact(&mut body)?;
        Ok((
            header[4],
            u64::from_le_bytes(header[8..].try_into().unwrap()),
            body,
        ))
    }

    /// Waits for its end, with the link still there; gives code and last words.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().unwrap();
        let mut words = String::new();
        let mut stderr = self.child.stderr.take().unwrap();
        stderr.read_to_string(&mut words).unwrap();
        (status.code(), words)
    }
}
