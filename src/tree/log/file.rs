//! A log file: appended to, rotated by size, found again when somebody moved it away.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use super::rotation::{Rotation, Shift};
use super::writer::{Progress, write_counted};

/// A log file and where in it we are.
#[derive(Debug)]
pub(crate) struct LogWriter {
    path: PathBuf,
    rotation: Rotation,
    open: Option<OpenLog>,
    /// Whether the last byte written was not a line end.
    mid_line: bool,
}

/// The file as it was opened.
#[derive(Debug)]
struct OpenLog {
    file: File,
    size: u64,
    device: u64,
    inode: u64,
    /// A pipe or a device is never rotated.
    is_regular: bool,
}

impl LogWriter {
    /// A writer for the file; it is opened at the first write.
    pub(crate) fn new(path: PathBuf, rotation: Rotation) -> Self {
        Self {
            path,
            rotation,
            open: None,
            mid_line: false,
        }
    }

    /// Opens the file now.
    ///
    /// # Errors
    ///
    /// What `open(2)` says.
    pub(crate) fn open(&mut self) -> io::Result<()> {
        self.opened().map(|_| ())
    }

    /// Writes as much of the batch as can be written.
    pub(crate) fn write(&mut self, batch: &[u8]) -> Progress {
        let mut progress = Progress {
            written: 0,
            fault: None,
            rotation_fault: None,
        };
        self.forget_if_moved();
        while progress.written < batch.len() && progress.fault.is_none() {
            let rest = &batch[progress.written..];
            let may_rotate = progress.rotation_fault.is_none();
            match self.write_part(rest, may_rotate) {
                Ok(Part::Written(count, fault)) => {
                    progress.written += count;
                    progress.fault = fault;
                }
                Ok(Part::Rotated) => {}
                Ok(Part::RotationFailed(error)) => progress.rotation_fault = Some(error),
                Err(error) => progress.fault = Some(error),
            }
        }
        progress
    }

    /// Writes what fits into the file, or rotates it when nothing does.
    fn write_part(&mut self, rest: &[u8], may_rotate: bool) -> io::Result<Part> {
        let (rotation, mid_line) = (self.rotation, self.mid_line);
        let log = self.opened()?;
        let fit = if may_rotate && log.is_regular {
            rotation.fit(log.size, rest, mid_line)
        } else {
            rest.len()
        };
        if fit == 0 {
            return Ok(match self.rotate() {
                Ok(()) => Part::Rotated,
                Err(error) => Part::RotationFailed(error),
            });
        }
        let (written, fault) = write_counted(&mut log.file, &rest[..fit]);
        log.size += written as u64;
        if let Some(last) = rest[..written].last() {
            self.mid_line = *last != b'\n';
        }
        Ok(Part::Written(written, fault))
    }

    fn opened(&mut self) -> io::Result<&mut OpenLog> {
        if self.open.is_none() {
            self.open = Some(open_log(&self.path)?);
        }
        Ok(self.open.as_mut().expect("invariant: opened just above"))
    }

    /// Opens the file anew when its name leads elsewhere or nowhere: a log rotated or removed
    /// by somebody else goes on under its name.
    fn forget_if_moved(&mut self) {
        let Some(log) = &self.open else { return };
        let is_same = fs::metadata(&self.path)
            .is_ok_and(|found| (found.dev(), found.ino()) == (log.device, log.inode));
        if !is_same {
            self.open = None;
            self.mid_line = false;
        }
    }

    fn rotate(&mut self) -> io::Result<()> {
        for shift in self.rotation.shifts(&self.path) {
            let done = match &shift {
                Shift::Remove(path) => fs::remove_file(path),
                Shift::Rename(from, to) => fs::rename(from, to),
            };
            match done {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        self.open = None;
        Ok(())
    }
}

/// What one attempt came to.
enum Part {
    Written(usize, Option<io::Error>),
    Rotated,
    RotationFailed(io::Error),
}

fn open_log(path: &Path) -> io::Result<OpenLog> {
    // Without O_NONBLOCK the opening of a FIFO nobody reads would never return.
    let nonblocking = OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new()
        .append(true)
        .create(true)
        .custom_flags(nonblocking)
        .open(path)?;
    let flags = rustix::fs::fcntl_getfl(&file)?;
    rustix::fs::fcntl_setfl(&file, flags - OFlags::NONBLOCK)?;
    let metadata = file.metadata()?;
    Ok(OpenLog {
        size: metadata.len(),
        device: metadata.dev(),
        inode: metadata.ino(),
        is_regular: metadata.is_file(),
        file,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of this test's own, removed at its end.
    struct Directory(PathBuf);

    impl Directory {
        fn new(test: &str) -> Self {
            let name = format!("treewright-log-{test}-{}", std::process::id());
            let path = std::env::temp_dir().join(name);
            fs::create_dir(&path).unwrap();
            Self(path)
        }

        fn read(&self, name: &str) -> String {
            fs::read_to_string(self.0.join(name)).unwrap()
        }

        fn writer(&self, max_size: u64, keep: u32) -> LogWriter {
            LogWriter::new(self.0.join("log"), Rotation { max_size, keep })
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn write_whole(writer: &mut LogWriter, text: &str) {
        let progress = writer.write(text.as_bytes());
        assert!(progress.fault.is_none(), "{progress:?}");
        assert_eq!(progress.written, text.len());
    }

    #[test]
    fn existing_file_is_appended_to_and_counts_for_its_size() {
        let directory = Directory::new("append");
        fs::write(directory.0.join("log"), "old line\n").unwrap();
        let mut writer = directory.writer(12, 3);
        write_whole(&mut writer, "ab\n");
        assert_eq!(directory.read("log"), "old line\nab\n");
        write_whole(&mut writer, "cd\n");
        assert_eq!(directory.read("log"), "cd\n");
        assert_eq!(directory.read("log.1"), "old line\nab\n");
    }

    #[test]
    fn one_batch_is_spread_over_several_files_in_order() {
        let directory = Directory::new("spread");
        write_whole(&mut directory.writer(6, 9), "a1\na2\nb1\nb2\nc1\n");
        assert_eq!(directory.read("log.2"), "a1\na2\n");
        assert_eq!(directory.read("log.1"), "b1\nb2\n");
        assert_eq!(directory.read("log"), "c1\n");
    }

    #[test]
    fn file_moved_away_by_others_is_opened_anew() {
        let directory = Directory::new("moved");
        let mut writer = directory.writer(1000, 1);
        write_whole(&mut writer, "one\n");
        fs::rename(directory.0.join("log"), directory.0.join("away")).unwrap();
        write_whole(&mut writer, "two\n");
        assert_eq!(directory.read("away"), "one\n");
        assert_eq!(directory.read("log"), "two\n");
    }

    #[test]
    fn file_that_cannot_be_rotated_grows_on() {
        let directory = Directory::new("grows");
        // A directory in the way of the oldest file cannot be removed as a file.
        fs::create_dir(directory.0.join("log.1")).unwrap();
        let mut writer = directory.writer(4, 1);
        write_whole(&mut writer, "abc\n");
        let progress = writer.write(b"def\nghi\n");
        assert!(progress.fault.is_none());
        assert!(progress.rotation_fault.is_some());
        assert_eq!(directory.read("log"), "abc\ndef\nghi\n");
        fs::remove_dir(directory.0.join("log.1")).unwrap();
        write_whole(&mut writer, "jkl\n");
        assert_eq!(directory.read("log.1"), "abc\ndef\nghi\n");
        assert_eq!(directory.read("log"), "jkl\n");
    }

    #[test]
    fn missing_directory_is_told_at_opening() {
        let directory = Directory::new("missing");
        let path = directory.0.join("no/log");
        let rotation = Rotation {
            max_size: 1,
            keep: 1,
        };
        let error = LogWriter::new(path, rotation).open().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn fifo_without_a_reader_is_an_error_and_not_a_wait() {
        let directory = Directory::new("fifo");
        let path = directory.0.join("log");
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &path,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RWXU,
            0,
        )
        .unwrap();
        let progress = directory.writer(1, 1).write(b"a\n");
        assert_eq!(progress.written, 0);
        assert_eq!(
            progress.fault.unwrap().raw_os_error(),
            Some(rustix::io::Errno::NXIO.raw_os_error())
        );
    }
}
