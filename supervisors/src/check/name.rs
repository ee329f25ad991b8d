//! What a child may be called.

/// Bytes a name may have.
const LONGEST: usize = 64;

/// Whether a child may have this name: `[A-Za-z0-9_][A-Za-z0-9_.-]*`, at most 64 bytes.
///
/// A name becomes part of the names of files and sockets, of addresses (`NAME@INDEX` is a pool's member) and of
/// what is printed, so that nothing that means something there is in it.
pub(crate) fn is_child_name(name: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    name.len() <= LONGEST
        && name.bytes().next().is_some_and(is_plain)
        && name
            .bytes()
            .all(|byte| is_plain(byte) || byte == b'.' || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_mean_something_elsewhere_are_refused() {
        for good in ["web", "web-1", "a.b", "_x", "0"] {
            assert!(is_child_name(good), "{good}");
        }
        let long = "x".repeat(65);
        for bad in [
            "", ".", "..", "../x", "a/b", "-f", "a@1", "a b", "a\n", "ö", "a\0", &long,
        ] {
            assert!(!is_child_name(bad), "{bad}");
        }
    }
}
