//! How long what comes over a link may be.

/// How long what comes over a link may be. A length is held against these before anything
/// is allocated for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limits {
    /// The longest body of one frame, in bytes, once both ends have said hello.
    pub(crate) max_frame: u32,
    /// The longest body of one message, which may come in several frames.
    pub(crate) max_message: usize,
    /// The most bytes of messages that have begun and are not complete, over all contexts
    /// of a link.
    pub(crate) max_incomplete: usize,
    /// A body longer than this leaves in several frames, so that a cancel need not wait
    /// for more than one of them.
    pub(crate) fragment: usize,
}

impl Limits {
    /// The longest body before both ends have said hello: who is there is not known yet.
    pub(crate) const MAX_FRAME_BEFORE_HELLO: u32 = 64 * 1024;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_frame: 16 * 1024 * 1024,
            max_message: 64 * 1024 * 1024,
            max_incomplete: 256 * 1024 * 1024,
            // A payload of 64 KiB with what is said about it is still one frame.
            fragment: 68 * 1024,
        }
    }
}
