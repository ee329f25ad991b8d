//! How many calls of a map travel as one job, and how many are out at once.

/// So much work in nanoseconds an adaptive chunk aims at.
const CHUNK: u64 = 200_000;
/// The most calls of an adaptive chunk.
const MOST: usize = 1024;
/// So many calls are on their way, or their results unread, for each worker.
const OUT: usize = 1024;
/// So many times as many if they are short, and travel together.
const MORE: usize = 8;
/// So much work in nanoseconds is to be out for each worker: it lasts until the results were
/// taken in and new calls have come.
const WORK_OUT: u64 = 1_000_000;

/// What a map goes by.
#[derive(Debug)]
pub(super) struct Pacing {
    chunk: Chunk,
    window: Window,
}

#[derive(Debug, Clone, Copy)]
enum Chunk {
    Fixed(usize),
    /// So many calls has the next one.
    Adaptive(usize),
}

#[derive(Debug, Clone, Copy)]
enum Window {
    Fixed(usize),
    Adaptive { workers: usize, calls: usize },
}

impl Pacing {
    /// That of a pool with so many workers.
    pub(super) fn new(workers: usize) -> Self {
        // One is read while the others work.
        let workers = workers.saturating_add(1);
        let calls = OUT.saturating_mul(workers);
        Self {
            chunk: Chunk::Adaptive(1),
            window: Window::Adaptive { workers, calls },
        }
    }

    pub(super) fn fix_chunk(&mut self, calls: usize) {
        self.chunk = Chunk::Fixed(calls);
    }

    pub(super) fn fix_window(&mut self, calls: usize) {
        self.window = Window::Fixed(calls);
    }

    /// How many calls the next chunk has.
    pub(super) fn chunk(&self) -> usize {
        let (Chunk::Fixed(calls) | Chunk::Adaptive(calls)) = self.chunk;
        calls
    }

    /// Whether chunks end also where their arguments are long.
    pub(super) fn is_adaptive(&self) -> bool {
        matches!(self.chunk, Chunk::Adaptive(_))
    }

    fn window(&self) -> usize {
        let (Window::Fixed(calls) | Window::Adaptive { calls, .. }) = self.window;
        calls
    }

    /// Whether one more chunk is to go, with so many calls out.
    pub(super) fn has_room(&self, out: usize) -> bool {
        out < self.window()
    }

    /// A chunk of so many calls took that long, in nanoseconds.
    pub(super) fn learn(&mut self, took: u64, calls: u64) {
        if calls == 0 {
            return;
        }
        let call = (took / calls).max(1);
        let fitting = |nanos: u64| usize::try_from(nanos / call).unwrap_or(usize::MAX);
        if let Chunk::Adaptive(size) = &mut self.chunk {
            let most = (*size * 4).min(MOST);
            *size = fitting(CHUNK).clamp(1, most);
        }
        if let Window::Adaptive {
            workers,
            calls: out,
        } = &mut self.window
        {
            // Of more jobs there are enough already.
            let together = usize::try_from(calls).unwrap_or(usize::MAX);
            let each = fitting(WORK_OUT).clamp(OUT, OUT * MORE.min(together));
            *out = each.saturating_mul(*workers);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunk_grows_for_short_calls_and_is_one_for_long_ones() {
        let mut pacing = Pacing::new(2);
        let mut sizes = Vec::new();
        for _ in 0..6 {
            sizes.push(pacing.chunk());
            pacing.learn(100 * pacing.chunk() as u64, pacing.chunk() as u64);
        }
        assert_eq!(sizes, [1, 4, 16, 64, 256, MOST]);
        pacing.learn(1_000_000, 1);
        assert_eq!(pacing.chunk(), 1);
        pacing.fix_chunk(7);
        pacing.learn(100, 1);
        assert_eq!((pacing.chunk(), pacing.is_adaptive()), (7, false));
    }

    #[test]
    fn window_is_wider_for_short_calls_up_to_a_bound_unless_it_is_said() {
        let mut pacing = Pacing::new(3);
        for (took, each) in [(1_000_000, OUT), (500, 2000), (1, OUT * MORE), (900, 1111)] {
            pacing.learn(took * 100, 100);
            assert_eq!(pacing.window(), 4 * each, "{took}");
        }
        pacing.learn(1, 1);
        assert_eq!(pacing.window(), 4 * OUT);
        pacing.fix_window(5);
        pacing.learn(100, 100);
        assert!(pacing.has_room(4) && !pacing.has_room(5));
    }
}
