//! The output of all children of one tree.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::{Rc, Weak};
use std::time::Duration;

use treewright_supervisors::spec::{ChildName, LogFile, LogSpec, OnFull};

use super::child::{Channel, ChildLog, Outlet, Route};
use super::error::{LogError, LogReport, LogTarget, Report};
use super::file::LogWriter;
use super::format::LineFormat;
use super::line::OutputStream;
use super::pipe::{Pipe, Scratch, scratch};
use super::rotation::Rotation;
use super::settings::{LogSettings, PassedSettings};
use super::sink::{Sink, Writing};
use super::writer::Writer;
use crate::rt::{self, Latch, LocalExecutor};

/// Bytes that may wait for the tree's own output.
const STREAM_CAPACITY: usize = 1024 * 1024;
/// Bytes that may wait for one log file.
const FILE_CAPACITY: usize = 512 * 1024;

/// The output of all children of one tree: reads their pipes and writes their lines.
///
/// Nothing happens unless [`run`](Self::run) is polled. Files and the terminal are written by
/// threads that may wait; reading, cutting and formatting never do.
pub struct Logs {
    executor: Rc<LocalExecutor<'static>>,
    settings: LogSettings,
    stdout: Rc<Sink>,
    stderr: Rc<Sink>,
    files: RefCell<HashMap<PathBuf, Weak<Sink>>>,
    /// Every task that writes, also those whose children are gone.
    writing: RefCell<Vec<Writing>>,
    pipes: Rc<RefCell<Vec<Weak<Pipe>>>>,
    scratch: Scratch,
    report: Report,
    closed: Latch,
}

impl std::fmt::Debug for Logs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Logs")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Logs {
    /// Logs with these settings; `report` is called with what the user should know, and must not wait.
    ///
    /// # Errors
    ///
    /// When standard output or error cannot be duplicated.
    pub fn new(settings: LogSettings, report: impl Fn(LogReport) + 'static) -> io::Result<Self> {
        let executor = Rc::new(LocalExecutor::new());
        let report: Report = Rc::new(report);
        let open = |stream: OutputStream| {
            let file = match stream {
                OutputStream::Stdout => settings.stdout.try_clone()?,
                OutputStream::Stderr => settings.stderr.try_clone()?,
            };
            let (sink, task) = Sink::new(
                LogTarget::Stream(stream),
                STREAM_CAPACITY,
                Writer::Stream(file),
                None,
                Rc::clone(&report),
            );
            // The executor owns the task; it ends with the sink's last handle.
            executor.spawn(task).detach();
            Ok::<_, io::Error>(Rc::new(sink))
        };
        let stdout = open(OutputStream::Stdout)?;
        // Where both lead to one terminal, one writer keeps the order between them.
        let stderr = if settings.is_one_place() {
            Rc::clone(&stdout)
        } else {
            open(OutputStream::Stderr)?
        };
        let writing = vec![stdout.writing(), stderr.writing()];
        Ok(Self {
            executor,
            settings,
            stdout,
            stderr,
            files: RefCell::default(),
            writing: RefCell::new(writing),
            pipes: Rc::default(),
            scratch: scratch(),
            report,
            closed: Latch::new(),
        })
    }

    /// Opens the log of a child.
    ///
    /// Children that name the same file share it, and the settings of the one that opened it first.
    ///
    /// # Errors
    ///
    /// When the directory of the log file is not there, or the path is not that of a file.
    /// A file that cannot be opened for another reason (full disk, no permission) is reported,
    /// and tried again when there is something to write.
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing stays open but the file, if it was created.
    pub async fn open(&self, name: &ChildName, spec: &LogSpec) -> Result<ChildLog, LogError> {
        let route = match spec {
            LogSpec::Null => Route::Null,
            LogSpec::Inherit => self.inherited(name),
            LogSpec::File(file) => {
                let sink = self.file_sink(file).await?;
                let format = Rc::new(LineFormat::Raw);
                let outlet = || Outlet {
                    sink: Rc::clone(&sink),
                    format: Rc::clone(&format),
                };
                Route::To {
                    stdout: outlet(),
                    stderr: outlet(),
                    on_full: file.on_full,
                }
            }
        };
        Ok(self.log_of(name, route))
    }

    /// Reads and writes until the logs are [closed](Self::close).
    ///
    /// # Cancel safety
    ///
    /// Safe: nothing is read or written while it is not polled; it can be called again.
    pub async fn run(&self) {
        self.executor.run(self.closed.wait()).await;
    }

    /// Passes on what is in the pipes now, writes all that waits, and ends [`run`](Self::run).
    /// True when everything was written within `grace`.
    ///
    /// # Cancel safety
    ///
    /// Not safe: call it again to end the logs.
    pub async fn close(&self, grace: Duration) -> bool {
        let flushed = rt::within(grace, self.flush()).await.is_ok();
        self.closed.set();
        flushed
    }

    async fn flush(&self) {
        let pipes: Vec<_> = self
            .pipes
            .borrow()
            .iter()
            .filter_map(Weak::upgrade)
            .collect();
        for pipe in &pipes {
            pipe.begin_drain();
        }
        for pipe in &pipes {
            pipe.drained().await;
        }
        // All are asked before one is waited for.
        let finished: Vec<_> = self.writing.borrow().iter().map(Writing::close).collect();
        for writing in finished {
            writing.await;
        }
    }

    fn inherited(&self, name: &ChildName) -> Route {
        let outlet = |stream, sink: &Rc<Sink>| Outlet {
            sink: Rc::clone(sink),
            format: Rc::new(self.settings.line_format(name, stream)),
        };
        Route::To {
            stdout: outlet(OutputStream::Stdout, &self.stdout),
            stderr: outlet(OutputStream::Stderr, &self.stderr),
            on_full: OnFull::Drop,
        }
    }

    /// How the process of an isolated supervisor writes, whose output comes back by these pipes.
    pub(crate) fn pass(&self, stdout: PathBuf, stderr: PathBuf) -> PassedSettings {
        self.settings.pass(stdout, stderr)
    }

    /// Whether standard output and error lead to one place.
    pub(crate) fn is_one_place(&self) -> bool {
        Rc::ptr_eq(&self.stdout, &self.stderr)
    }

    /// The log of an isolated supervisor, whose lines are formatted already.
    pub(crate) fn passed_on(&self, name: &ChildName) -> ChildLog {
        let format = Rc::new(LineFormat::Raw);
        let outlet = |sink: &Rc<Sink>| Outlet {
            sink: Rc::clone(sink),
            format: Rc::clone(&format),
        };
        let route = Route::To {
            stdout: outlet(&self.stdout),
            stderr: outlet(&self.stderr),
            // The process above the child does what the child's own log says.
            on_full: OnFull::Block,
        };
        self.log_of(name, route)
    }

    fn log_of(&self, name: &ChildName, route: Route) -> ChildLog {
        let report = Rc::clone(&self.report);
        let channel = Channel::new(name.clone(), route, self.settings.ring, report);
        ChildLog {
            channel: Rc::new(channel),
            executor: Rc::downgrade(&self.executor),
            pipes: Rc::clone(&self.pipes),
            scratch: Rc::clone(&self.scratch),
        }
    }

    async fn file_sink(&self, spec: &LogFile) -> Result<Rc<Sink>, LogError> {
        if let Some(sink) = self.known_file(&spec.file) {
            return Ok(sink);
        }
        let rotation = Rotation {
            max_size: spec.max_size,
            keep: spec.keep,
        };
        let mut writer = LogWriter::new(spec.file.clone(), rotation);
        let (writer, opened) = rt::unblock(move || {
            let opened = writer.open();
            (writer, opened)
        })
        .await;
        let fault = match opened {
            Ok(()) => None,
            Err(error) => Some(LogError::of_open(&spec.file, error)?),
        };
        // Another child may have opened the same file while we were opening it.
        if let Some(sink) = self.known_file(&spec.file) {
            return Ok(sink);
        }
        let (sink, task) = Sink::new(
            LogTarget::File(spec.file.clone()),
            FILE_CAPACITY,
            Writer::File(writer),
            fault,
            Rc::clone(&self.report),
        );
        self.executor.spawn(task).detach();
        let sink = Rc::new(sink);
        let mut writing = self.writing.borrow_mut();
        writing.retain(|writing| !writing.is_over());
        writing.push(sink.writing());
        let mut files = self.files.borrow_mut();
        files.retain(|_, sink| sink.strong_count() > 0);
        files.insert(spec.file.clone(), Rc::downgrade(&sink));
        Ok(sink)
    }

    fn known_file(&self, path: &Path) -> Option<Rc<Sink>> {
        self.files.borrow().get(path).and_then(Weak::upgrade)
    }
}
