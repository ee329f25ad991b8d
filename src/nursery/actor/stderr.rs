//! The standard error of an actor: passed on as it comes, and its last words kept.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::rt;

/// How much of it is kept.
const KEPT: usize = 4096;

/// The last words of a process, as they come.
#[derive(Debug, Clone, Default)]
pub(super) struct LastWords(Rc<RefCell<VecDeque<u8>>>);

impl LastWords {
    fn add(&self, bytes: &[u8]) {
        let mut kept = self.0.borrow_mut();
        let bytes = &bytes[bytes.len().saturating_sub(KEPT)..];
        let excess = (kept.len() + bytes.len()).saturating_sub(KEPT);
        kept.drain(..excess);
        kept.extend(bytes);
    }

    /// What was written last.
    pub(super) fn get(&self) -> Vec<u8> {
        self.0.borrow().iter().copied().collect()
    }
}

/// Passes on what comes out of a pipe.
#[derive(Debug)]
pub(super) struct StderrRelay {
    pipe: rt::Async<File>,
    words: LastWords,
}

impl StderrRelay {
    pub(super) fn new(pipe: OwnedFd) -> io::Result<Self> {
        Ok(Self {
            pipe: rt::Async::new(File::from(pipe))?,
            words: LastWords::default(),
        })
    }

    /// What was written last, also after this is gone.
    pub(super) fn words(&self) -> LastWords {
        self.words.clone()
    }

    /// Runs until the pipe ends. Dropped before that, it loses nothing that was read.
    pub(super) async fn run(&self) {
        while rt::readable(&self.pipe).await.is_ok() {
            if !self.pass_on_what_is_there() {
                return;
            }
        }
    }

    /// Passes on what is in the pipe; whether more may come.
    pub(super) fn pass_on_what_is_there(&self) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match self.pipe.get_ref().read(&mut bytes) {
                Ok(0) => return false,
                Ok(count) => {
                    self.words.add(&bytes[..count]);
                    // Whoever reads our own standard error may be gone; the words are kept.
                    let _gone = io::stderr().write_all(&bytes[..count]);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return error.kind() == io::ErrorKind::WouldBlock,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_last_words_are_kept() {
        let words = LastWords::default();
        words.add(&[b'a'; KEPT]);
        words.add(b"end");
        assert_eq!(words.get().len(), KEPT);
        assert!(words.get().ends_with(b"aend"));
        words.add(&[b'b'; 3 * KEPT]);
        assert_eq!(words.get(), [b'b'; KEPT]);
    }
}
