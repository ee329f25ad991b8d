//! What ends a command early, and how it is said.

use std::fmt;
use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
use treewright::supervisors::report::Report;

use crate::print;

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const HINT: Style = Style::new().bold();

/// Why a command ended early.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Something could not be done; with advice where there is some.
    Failed {
        message: String,
        hint: Option<String>,
    },
    /// Tree files are at fault.
    Refused(Box<Report>),
    /// Nobody reads the output any more, which is no failure of ours.
    NobodyReads,
}

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self::Failed {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(self, advice: impl Into<String>) -> Self {
        match self {
            Self::Failed { message, .. } => Self::Failed {
                message,
                hint: Some(advice.into()),
            },
            other => other,
        }
    }

    /// Says it on standard error; the code the program ends with.
    pub(crate) fn show(&self) -> ExitCode {
        match self {
            Self::Failed { .. } => {
                print::complain(&self.to_string());
                ExitCode::FAILURE
            }
            Self::Refused(report) => {
                print::report(report);
                ExitCode::FAILURE
            }
            Self::NobodyReads => ExitCode::SUCCESS,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed { message, hint } => {
                write!(f, "{ERROR}error{ERROR:#}: {message}")?;
                match hint {
                    Some(hint) => write!(f, "\n{HINT}hint{HINT:#}: {hint}"),
                    None => Ok(()),
                }
            }
            Self::Refused(report) => fmt::Display::fmt(report, f),
            Self::NobodyReads => f.write_str("nobody reads the output"),
        }
    }
}

/// What the system said, in lowercase and without the number std adds.
pub(crate) fn words(error: &io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    let mut letters = words.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
