//! Threads for work that blocks.

/// Runs `work` on a pool thread and waits for its result; a panic of it is passed on.
///
/// The pool's threads come and go, so nothing is spawned there: a child asks to be
/// killed when the *thread* that spawned it ends. Dropping the future lets work that has
/// begun finish unseen; work that has not begun is not done.
pub(crate) async fn unblock<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    #[expect(clippy::disallowed_methods, reason = "this is the one entry")]
    smol::unblock(work).await
}
