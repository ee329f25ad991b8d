//! The output of children: read, cut into lines, and written where the spec says.
//!
//! One task reads each pipe, a bounded number of bytes a turn, and passes whole lines to the
//! child's [`ChildLog`]; one task per place writes them in batches, on a thread that may wait.
//! What decides (cutting, formats, rotation, what is dropped, when to try again) is pure and
//! apart from what acts.

mod backlog;
mod child;
mod cutter;
mod error;
mod file;
mod format;
mod health;
mod line;
mod logs;
mod pace;
mod pipe;
mod prefix;
mod ring;
mod rotation;
mod settings;
mod sink;
mod subscription;
mod watch;
mod writer;

pub use child::{AttachedOutput, ChildLog};
pub use cutter::MAX_LINE;
pub use error::{LogError, LogReport, LogTarget};
pub use format::{CUT_MARK, Loss};
pub use line::{Ending, OutputStream, Run};
pub use logs::Logs;
pub use prefix::ColourChoice;
pub use ring::Record;
pub(crate) use settings::PassedSettings;
pub use settings::{LogFormat, LogSettings};
pub use sink::PATIENCE;
pub use subscription::{LogItem, Subscription};
pub use watch::LogWatch;
