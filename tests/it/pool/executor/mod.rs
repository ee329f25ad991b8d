//! What `concurrent.futures.ProcessPoolExecutor` documents, behaviour by behaviour; the list is in
//! `tests/it/pool/executor.md`.

mod deadlocks;
mod futures;
mod killed;
mod map;
mod shutdown;
mod submit;
mod waiting;
mod workers;
