//! What waits to be written: bounded, and honest about what it had no room for.

use std::rc::Rc;
use std::time::SystemTime;

use super::format::{LineFormat, Loss};
use super::line::Run;

/// Formatted lines that wait for a writer, and what was lost for want of room.
///
/// A loss is kept with the format of the stream it is from; the line that says so is put
/// exactly where the lines are missing: after all that was taken before, before all that
/// is taken after.
#[derive(Debug)]
pub(crate) struct Backlog {
    waiting: Vec<u8>,
    capacity: usize,
    losses: Vec<(Rc<LineFormat>, Loss)>,
}

impl Backlog {
    /// A backlog that is full at `capacity` bytes.
    pub(crate) fn new(capacity: usize) -> Self {
        Self {
            waiting: Vec::new(),
            capacity,
            losses: Vec::new(),
        }
    }

    /// Whether the next run should wait or be lost. A run is taken whole, so what waits is
    /// at most the capacity and one formatted run.
    pub(crate) fn is_full(&self) -> bool {
        self.waiting.len() >= self.capacity
    }

    /// Bytes that wait.
    pub(crate) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether there is nothing to write.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.losses.is_empty()
    }

    /// Takes the run.
    pub(crate) fn push(&mut self, format: &LineFormat, run: &Run<'_>, time: SystemTime) {
        self.mark_losses(time);
        format.append(run, time, &mut self.waiting);
    }

    /// Counts the run as lost.
    pub(crate) fn lose(&mut self, format: &Rc<LineFormat>, run: &Run<'_>) {
        // A handful of streams at most lose lines between two writes; a list is enough.
        let known = self
            .losses
            .iter_mut()
            .find(|(of, _)| Rc::ptr_eq(of, format));
        match known {
            Some((_, loss)) => loss.add(run),
            None => {
                let mut loss = Loss::default();
                loss.add(run);
                self.losses.push((Rc::clone(format), loss));
            }
        }
    }

    /// Hands out all that waits, and goes on in `spare`.
    ///
    /// Losses are marked after what is handed out: that is where the lines are missing.
    pub(crate) fn take(&mut self, mut spare: Vec<u8>, time: SystemTime) -> Vec<u8> {
        spare.clear();
        if self.waiting.is_empty() {
            self.mark_losses(time);
        }
        let batch = std::mem::replace(&mut self.waiting, spare);
        self.mark_losses(time);
        batch
    }

    fn mark_losses(&mut self, time: SystemTime) {
        for (format, loss) in self.losses.drain(..) {
            format.append_loss(loss, time, &mut self.waiting);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::line::Ending;
    use super::*;

    const NOW: SystemTime = SystemTime::UNIX_EPOCH;

    fn line(bytes: &[u8]) -> Run<'_> {
        Run {
            bytes,
            ending: Ending::Whole,
        }
    }

    fn prefixed(name: &str) -> Rc<LineFormat> {
        Rc::new(LineFormat::Prefixed(format!("{name} ").into_bytes()))
    }

    #[test]
    fn marker_stands_where_the_lines_are_missing() {
        let a = prefixed("a");
        let mut backlog = Backlog::new(4);
        backlog.push(&a, &line(b"one\n"), NOW);
        assert!(backlog.is_full());
        backlog.lose(&a, &line(b"two\nthree\n"));
        backlog.lose(&a, &line(b"four\n"));
        assert_eq!(backlog.take(Vec::new(), NOW), b"a one\n");
        backlog.push(&a, &line(b"five\n"), NOW);
        assert_eq!(
            backlog.take(Vec::new(), NOW),
            b"a [treewright: 3 lines dropped, 15 bytes]\na five\n"
        );
        assert!(backlog.is_empty());
    }

    #[test]
    fn each_stream_has_its_own_marker() {
        let (a, b) = (prefixed("a"), prefixed("b"));
        let mut backlog = Backlog::new(1);
        backlog.lose(&a, &line(b"x\n"));
        backlog.lose(&b, &line(b"y\nz\n"));
        backlog.lose(&a, &line(b"x\n"));
        assert!(!backlog.is_empty());
        assert_eq!(
            backlog.take(Vec::new(), NOW),
            b"a [treewright: 2 lines dropped, 4 bytes]\nb [treewright: 2 lines dropped, 4 bytes]\n"
        );
    }

    /// One step of a writer's day.
    #[derive(Clone, Debug)]
    enum Step {
        Line,
        Take,
    }

    proptest! {
        /// Numbered lines in; out come the same numbers in order, or a marker that counts
        /// exactly the ones that are missing there.
        #[test]
        fn every_line_is_written_or_counted(
            steps in prop::collection::vec(
                prop_oneof![3 => Just(Step::Line), 1 => Just(Step::Take)], 0..60),
            capacity in 1_usize..30,
        ) {
            let format = Rc::new(LineFormat::Raw);
            let mut backlog = Backlog::new(capacity);
            let (mut sent, mut out) = (0_u64, Vec::new());
            for step in steps {
                match step {
                    Step::Line => {
                        let text = format!("{sent}\n");
                        let run = line(text.as_bytes());
                        if backlog.is_full() {
                            backlog.lose(&format, &run);
                        } else {
                            backlog.push(&format, &run, NOW);
                        }
                        sent += 1;
                    }
                    Step::Take => out.extend(backlog.take(Vec::new(), NOW)),
                }
            }
            while !backlog.is_empty() {
                out.extend(backlog.take(Vec::new(), NOW));
            }
            let mut next = 0;
            for text in String::from_utf8(out).unwrap().lines() {
                match text.strip_prefix('[') {
                    Some(marker) => {
                        next += marker.split(' ').nth(1).unwrap().parse::<u64>().unwrap();
                    }
                    None => {
                        prop_assert_eq!(text.parse::<u64>().unwrap(), next);
                        next += 1;
                    }
                }
            }
            prop_assert_eq!(next, sent);
        }
    }
}
