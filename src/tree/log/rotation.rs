//! When a log file is rotated, and how.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// When a log file is rotated, and how many old ones are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rotation {
    /// Rotated before the file would grow over this many bytes.
    pub(crate) max_size: u64,
    /// Old files kept: `name.1` is the youngest, `name.keep` the oldest.
    pub(crate) keep: u32,
}

/// One step of a rotation. A step whose file is not there is no fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Shift {
    /// This file is removed.
    Remove(PathBuf),
    /// The first is renamed to the second.
    Rename(PathBuf, PathBuf),
}

impl Rotation {
    /// How many bytes of `batch` go into a file that holds `size` bytes: whole lines only.
    /// Zero means: rotate first.
    ///
    /// `mid_line` says that the last write ended inside a line, whose rest heads the batch;
    /// it belongs where it was begun. A line longer than the limit gets a file of its own.
    pub(crate) fn fit(&self, size: u64, batch: &[u8], mid_line: bool) -> usize {
        let room = usize::try_from(self.max_size.saturating_sub(size)).unwrap_or(usize::MAX);
        if batch.len() <= room {
            return batch.len();
        }
        if let Some(end) = memchr::memrchr(b'\n', &batch[..room]) {
            return end + 1;
        }
        if size > 0 && !mid_line {
            return 0;
        }
        memchr::memchr(b'\n', batch).map_or(batch.len(), |end| end + 1)
    }

    /// The steps that make room for a new file at `path`, in an order in which an
    /// interruption between any two loses nothing that is to be kept.
    pub(crate) fn shifts(&self, path: &Path) -> Vec<Shift> {
        if self.keep == 0 {
            return vec![Shift::Remove(path.to_owned())];
        }
        let mut shifts = vec![Shift::Remove(numbered(path, self.keep))];
        for number in (1..self.keep).rev() {
            shifts.push(Shift::Rename(
                numbered(path, number),
                numbered(path, number + 1),
            ));
        }
        shifts.push(Shift::Rename(path.to_owned(), numbered(path, 1)));
        shifts
    }
}

/// `path.number`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn rotation(max_size: u64, keep: u32) -> Rotation {
        Rotation { max_size, keep }
    }

    #[test]
    fn fit_is_whole_lines_within_the_limit() {
        for (size, batch, mid_line, expected) in [
            (0, "ab\ncd\n", false, 6),
            (0, "ab\ncd\nefghi\n", false, 6),
            (8, "a\n", false, 2),
            (9, "ab\n", false, 0),
            (10, "a\n", false, 0),
            (99, "a\n", false, 0),
            // A line over the limit has a file of its own.
            (0, "abcdefghijkl\nm\n", false, 13),
            (1, "abcdefghijkl\nm\n", false, 0),
            // The rest of a line stays with its beginning.
            (9, "bc\nd\n", true, 3),
            (99, "bc\nd\n", true, 3),
        ] {
            let fit = rotation(10, 1).fit(size, batch.as_bytes(), mid_line);
            assert_eq!(fit, expected, "{size} {batch:?} {mid_line}");
        }
    }

    #[test]
    fn shifts_go_from_the_oldest_to_the_youngest() {
        let path = Path::new("log/db.log");
        let name = |text: &str| PathBuf::from(text);
        assert_eq!(
            rotation(1, 2).shifts(path),
            [
                Shift::Remove(name("log/db.log.2")),
                Shift::Rename(name("log/db.log.1"), name("log/db.log.2")),
                Shift::Rename(name("log/db.log"), name("log/db.log.1")),
            ]
        );
        assert_eq!(
            rotation(1, 0).shifts(path),
            [Shift::Remove(name("log/db.log"))]
        );
    }

    proptest! {
        /// Files hold batch after batch; nothing but what is older than the kept files is missing.
        #[test]
        fn kept_files_hold_the_newest_lines_in_order(
            lines in prop::collection::vec("[a-z]{0,8}\n", 0..40),
            per_batch in 1_usize..5,
            max_size in 1_u64..20,
            keep in 0_u32..4,
        ) {
            let rotation = rotation(max_size, keep);
            let path = Path::new("log");
            let mut files: BTreeMap<PathBuf, String> = BTreeMap::new();
            for batch in lines.chunks(per_batch) {
                let mut rest: &str = &batch.concat();
                while !rest.is_empty() {
                    let size = files.get(path).map_or(0, |text| text.len() as u64);
                    let fit = rotation.fit(size, rest.as_bytes(), false);
                    if fit == 0 {
                        for shift in rotation.shifts(path) {
                            match shift {
                                Shift::Remove(path) => { files.remove(&path); }
                                Shift::Rename(from, to) => if let Some(text) = files.remove(&from) {
                                    files.insert(to, text);
                                },
                            }
                        }
                        continue;
                    }
                    files.entry(path.to_owned()).or_default().push_str(&rest[..fit]);
                    rest = &rest[fit..];
                }
            }
            let mut kept = String::new();
            for number in (1..=keep).rev() {
                kept += files.get(&numbered(path, number)).map_or("", String::as_str);
            }
            kept += files.get(path).map_or("", String::as_str);
            let all = lines.concat();
            prop_assert!(all.ends_with(&kept));
            prop_assert!(files.len() <= keep as usize + 1);
            if files.len() <= keep as usize {
                prop_assert_eq!(&all, &kept);
            }
            for text in files.values() {
                prop_assert!(text.len() as u64 <= max_size || text.matches('\n').count() == 1);
            }
        }
    }
}
