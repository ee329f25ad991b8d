//! How the tree's own output looks, and where it goes.

use std::env;
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::format::LineFormat;
use super::line::OutputStream;
use super::prefix::{ColourChoice, Prefixes};

/// Bytes of a child's last output that are kept in memory.
const RING: usize = 16 * 1024;

/// How lines look on the tree's own output.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum LogFormat {
    /// The name of the child in front of each line.
    #[default]
    Text,
    /// One JSON object a line: `time`, `name`, `stream`, and `text`, or `base64` where the line
    /// is not UTF-8; `cut` where it goes on in the next one.
    Json,
}

/// How the tree's own output looks, and where it goes.
#[derive(Debug)]
pub struct LogSettings {
    pub(crate) format: LogFormat,
    pub(crate) stdout: File,
    pub(crate) stderr: File,
    pub(crate) stdout_prefixes: Prefixes,
    pub(crate) stderr_prefixes: Prefixes,
    pub(crate) ring: usize,
}

/// How the output of another process looks, and by which paths it goes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct PassedSettings {
    format: LogFormat,
    stdout: PathBuf,
    stderr: PathBuf,
    stdout_prefixes: Prefixes,
    stderr_prefixes: Prefixes,
    ring: usize,
}

impl LogSettings {
    /// Onto these files, in text without colour, with names padded to the longest of `names`.
    #[must_use]
    pub fn new<'a>(stdout: File, stderr: File, names: impl IntoIterator<Item = &'a str>) -> Self {
        let prefixes = Prefixes::for_names(names, false);
        Self {
            format: LogFormat::Text,
            stdout,
            stderr,
            stdout_prefixes: prefixes,
            stderr_prefixes: prefixes,
            ring: RING,
        }
    }

    /// Onto this process's own standard output and error.
    ///
    /// # Errors
    ///
    /// When they cannot be duplicated.
    pub fn of_this_process<'a>(names: impl IntoIterator<Item = &'a str>) -> io::Result<Self> {
        let stdout = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        let stderr = File::from(io::stderr().as_fd().try_clone_to_owned()?);
        Ok(Self::new(stdout, stderr, names))
    }

    /// With this format.
    #[must_use]
    pub fn format(mut self, format: LogFormat) -> Self {
        self.format = format;
        self
    }

    /// With colour as chosen; `Auto` looks at each file and at `NO_COLOR` and `TERM`.
    #[must_use]
    pub fn colour(mut self, choice: ColourChoice) -> Self {
        let (no_color, term) = (env::var_os("NO_COLOR"), env::var_os("TERM"));
        let decide =
            |file: &File| choice.decide(file.is_terminal(), no_color.as_deref(), term.as_deref());
        self.stdout_prefixes.colour = decide(&self.stdout);
        self.stderr_prefixes.colour = decide(&self.stderr);
        self
    }

    /// Lines on a terminal begin with clearing what stands there: for who shows a line of its own
    /// that is updated in place, and leaves the cursor at its start.
    #[must_use]
    pub fn clear_line(mut self, clears: bool) -> Self {
        self.stdout_prefixes.clears = clears && self.stdout.is_terminal();
        self.stderr_prefixes.clears = clears && self.stderr.is_terminal();
        self
    }

    /// With so many bytes of each child's last output kept in memory.
    #[must_use]
    pub fn ring(mut self, bytes: usize) -> Self {
        self.ring = bytes;
        self
    }

    /// The same for another process, which reaches where it goes by these paths.
    pub(crate) fn pass(&self, stdout: PathBuf, stderr: PathBuf) -> PassedSettings {
        PassedSettings {
            format: self.format,
            stdout,
            stderr,
            stdout_prefixes: self.stdout_prefixes,
            stderr_prefixes: self.stderr_prefixes,
            ring: self.ring,
        }
    }

    /// What another process has passed.
    pub(crate) fn passed(settings: &PassedSettings) -> io::Result<Self> {
        let open = |path: &Path| File::options().write(true).open(path);
        Ok(Self {
            format: settings.format,
            stdout: open(&settings.stdout)?,
            stderr: open(&settings.stderr)?,
            stdout_prefixes: settings.stdout_prefixes,
            stderr_prefixes: settings.stderr_prefixes,
            ring: settings.ring,
        })
    }

    pub(crate) fn line_format(&self, name: &str, stream: OutputStream) -> LineFormat {
        let prefixes = match stream {
            OutputStream::Stdout => self.stdout_prefixes,
            OutputStream::Stderr => self.stderr_prefixes,
        };
        match self.format {
            LogFormat::Text => LineFormat::Prefixed(prefixes.prefix(name, stream)),
            LogFormat::Json => LineFormat::json(name, stream),
        }
    }

    /// Whether both lead to the same place, so that order can be kept between them.
    pub(crate) fn is_one_place(&self) -> bool {
        use std::os::unix::fs::MetadataExt;
        let place = |file: &File| file.metadata().map(|found| (found.dev(), found.ino()));
        matches!((place(&self.stdout), place(&self.stderr)), (Ok(a), Ok(b)) if a == b)
    }
}
