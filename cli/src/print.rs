//! Output: colour only where it is seen, and no complaint when the reader has left.

use std::io::{self, ErrorKind, IsTerminal, Write};

use anstream::{AutoStream, ColorChoice};
use treewright::supervisors::report::{Report, Style};

use crate::failure::{Failure, words};

/// Writes text to standard output.
pub(crate) fn out(text: &str) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    let written = stdout
        .write_all(text.as_bytes())
        .and_then(|()| stdout.flush());
    written.map_err(|error| match error.kind() {
        ErrorKind::BrokenPipe => Failure::NobodyReads,
        _ => Failure::new(format!(
            "cannot write to standard output: {}",
            words(&error)
        )),
    })
}

/// Writes a line to standard error. There is nobody to tell when even that fails.
pub(crate) fn complain(text: &str) {
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

/// Shows a report on standard error.
pub(crate) fn report(report: &Report) {
    let style = match AutoStream::choice(&io::stderr()) {
        ColorChoice::Never => Style::Plain,
        _ => Style::Coloured,
    };
    let _ = write!(anstream::stderr().lock(), "{}", report.render(style));
}

/// Whether the terminal can be trusted with letters beyond ASCII. A file or a pipe can.
pub(crate) fn is_unicode() -> bool {
    if !io::stdout().is_terminal() {
        return true;
    }
    // The first of these that is set and not empty decides, as in setlocale(3).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .filter_map(std::env::var_os)
        .find(|value| !value.is_empty());
    locale.is_some_and(|value| {
        let value = value.to_string_lossy().to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}
